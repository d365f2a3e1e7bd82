#include "env_interpolate.h"

#include <algorithm>
#include <utility>

#include "env_characters.h"

namespace drydock {
namespace {

bool begins_name(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

std::string_view name_at_begin(std::string_view text) {
  if (text.empty() || !begins_name(text[0])) return {};
  std::size_t size = 1;
  while (size < text.size() && is_in_name(text[size])) ++size;
  return text.substr(0, size);
}

// Past the brace that closes the one at the begin of `text` ("${..."); all of it when none does.
std::size_t closing_brace(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}' && --open == 0) return i + 1;
    if (text[i] == '{') {
      ++open;
      ++i;  // as compose-go does: the character after a brace is not looked at
    }
  }
  return text.size();
}

class Interpolation {
 public:
  explicit Interpolation(const EnvLookup& lookup) : lookup_(lookup) {}

  std::string substitute(std::string_view text) {
    std::string result;
    if (++depth_ > deepest) {
      refuse("more than " + std::to_string(deepest) + " interpolations inside one another");
      return result;
    }
    // What Compose quotes when it refuses: all, but behind a "${NAME:-...}" only what is left up to
    // the last brace of the line, which it looks at anew.
    std::string_view quoted = text;
    std::size_t quoted_end = text.size();
    std::size_t line_end = 0;    // of the line that i is on
    std::size_t last_brace = 0;  // of that line: a default may reach as far, but not further
    for (std::size_t i = 0; i < text.size() && !made.error;) {
      if (result.size() > largest_interpolated) {
        refuse("too large");
        break;
      }
      if (i >= quoted_end) quoted = text;
      const std::string_view rest = text.substr(i);
      if (rest[0] != '$') {
        result += rest[0];
        ++i;
      } else if (rest.starts_with("$$")) {
        result += '$';
        i += 2;
      } else if (rest.starts_with("${")) {
        if (i >= line_end) {
          line_end = std::min(text.find('\n', i), text.size());
          last_brace = text.substr(0, line_end).rfind('}');
        }
        const bool closed = last_brace != text.npos && last_brace > i;
        const std::size_t size = closed ? braced(text.substr(i, last_brace + 1 - i)) : 0;
        if (size == 0) {
          refuse("Invalid template: " + env_characters::quoted(quoted));
          break;
        }
        const std::string_view inside = rest.substr(2, size - 3);
        result += expand(inside);
        i += size;
        if (name_at_begin(inside).size() < inside.size()) {
          quoted_end = last_brace + 1;
          quoted = text.substr(i, quoted_end - i);
        }
      } else if (const std::string_view name = name_at_begin(rest.substr(1)); !name.empty()) {
        result += value_of(name).value_or("");
        i += 1 + name.size();
      } else {
        result += '$';
        ++i;
      }
    }
    --depth_;
    return result;
  }

  Interpolated made;

 private:
  // The size of "${NAME}" or "${NAME:-...}" at the begin of text, which ends with a brace; 0 when
  // it is neither.
  static std::size_t braced(std::string_view text) {
    const std::string_view name = name_at_begin(text.substr(2));
    if (name.empty()) return 0;
    std::string_view after = text.substr(2 + name.size());
    if (after.starts_with("}")) return 2 + name.size() + 1;
    if (after.starts_with(":")) after.remove_prefix(1);
    if (after.empty() || (after[0] != '-' && after[0] != '+' && after[0] != '?')) return 0;
    return closing_brace(text);
  }

  // What stands between the braces.
  std::string expand(std::string_view inside) {
    const std::string_view name = name_at_begin(inside);
    std::string_view argument = inside.substr(name.size());
    if (argument.empty()) return value_of(name).value_or("");
    const bool or_empty = argument[0] == ':';
    argument.remove_prefix(or_empty ? 1 : 0);
    const char operation = argument[0];
    // Evaluated although it may not be needed: so does Compose 2.26.
    const std::string alternative = substitute(argument.substr(1));
    const std::optional<std::string> value = lookup_(name);
    const bool present = value && !(or_empty && value->empty());
    if (operation == '-') return present ? *value : alternative;
    if (operation == '+') return present ? alternative : value.value_or("");
    if (!present) {
      refuse("required variable " + std::string(name) + " is missing a value" +
             (alternative.empty() ? "" : ": " + alternative));
    }
    return value.value_or("");
  }

  std::optional<std::string> value_of(std::string_view name) {
    std::optional<std::string> value = lookup_(name);
    if (!value) made.unset.emplace_back(name);
    return value;
  }
  void refuse(std::string why) {
    if (!made.error) made.error = std::move(why);
  }

  static constexpr int deepest = 200;

  const EnvLookup& lookup_;
  int depth_ = 0;
};

}  // namespace

Interpolated interpolate(std::string_view text, const EnvLookup& lookup) {
  Interpolation interpolation(lookup);
  std::string value = interpolation.substitute(text);
  interpolation.made.value = std::move(value);
  return std::move(interpolation.made);
}

std::vector<std::string_view> interpolated_names(const EnvStatement& statement) {
  std::vector<std::string_view> names;
  if (!statement.interpolated()) return names;
  // Each $NAME and ${NAME, wherever it stands; $$ is none. One too many does no harm.
  const std::string_view text = statement.value();
  for (std::size_t i = text.find('$'); i != text.npos; i = text.find('$', i)) {
    if (++i == text.size()) break;
    if (text[i] == '$') {
      ++i;
      continue;
    }
    const std::string_view name = name_at_begin(text.substr(i + (text[i] == '{' ? 1 : 0)));
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace drydock
