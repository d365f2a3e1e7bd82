#include "revision_file.h"

#include <algorithm>
#include <array>
#include <optional>

#include "python_literal.h"

namespace drydock::alembic {
namespace {

using Tokens = std::vector<PythonToken>;
using Range = std::pair<const PythonToken*, const PythonToken*>;

constexpr std::array<std::string_view, 4> field_names = {"revision", "down_revision", "depends_on",
                                                         "branch_labels"};
enum Field { revision_field, down_field, depends_field, labels_field };
constexpr std::size_t no_field = field_names.size();
constexpr std::size_t longest_message = 1000;  // bytes

// What the module has set a field to so far.
struct Setting {
  bool set = false;
  std::optional<PythonLiteral> value;  // nullopt: nothing that can be told without running it
  std::size_t line = 0;
};

std::size_t field_of(const PythonToken& token) {
  if (token.kind != PythonToken::Kind::name) return no_field;
  return static_cast<std::size_t>(std::find(field_names.begin(), field_names.end(), token.text) -
                                  field_names.begin());
}

// The parts of [begin, end) between signs `sign` that stand in no brackets.
std::vector<Range> split(const PythonToken* begin, const PythonToken* end, std::string_view sign) {
  std::vector<Range> parts;
  int depth = 0;
  const PythonToken* from = begin;
  for (const PythonToken* token = begin; token != end; ++token) {
    if (token->is("(") || token->is("[") || token->is("{")) ++depth;
    if (token->is(")") || token->is("]") || token->is("}")) --depth;
    if (depth != 0 || !token->is(sign)) continue;
    parts.emplace_back(from, token);
    from = token + 1;
  }
  parts.emplace_back(from, end);
  return parts;
}

class ModuleReader {
 public:
  ModuleReader(std::string_view file, std::string_view text) : file_(file), source_(file, text) {}

  void read() {
    PythonLine line;
    bool first = true;
    while (source_.next(line)) {
      if (body_indent_ && line.indent > *body_indent_) {
        // A function may still reach out for a field when somebody calls it.
        if (line.tokens[0].is_name("global")) mentions({&line.tokens[0], after(line.tokens)});
        continue;
      }
      body_indent_.reset();
      statement(line, first);
      first = false;
    }
  }

  const std::string& message() const { return message_; }
  bool has(Field field) const { return settings_[field].set; }
  std::size_t star_import() const { return star_import_; }  // the line; 0: there is none

  // The field's only text; "" when it is not set.
  std::string text(Field field) const {
    const Setting& setting = settings_[field];
    if (!setting.set) return "";
    if (!setting.value || setting.value->kind != PythonLiteral::Kind::text ||
        setting.value->text.empty()) {
      refuse(field, "is not set to a plain text");
    }
    return setting.value->text;
  }

  // The field's texts: one, several or none.
  std::vector<std::string> texts(Field field) const {
    const Setting& setting = settings_[field];
    if (!setting.set) return {};
    if (!setting.value) refuse(field, "is not set to a plain literal");
    const PythonLiteral& value = *setting.value;
    if (value.kind == PythonLiteral::Kind::none) return {};
    if (value.kind == PythonLiteral::Kind::text) {
      return value.text.empty() ? std::vector<std::string>{} : std::vector{value.text};
    }
    std::vector<std::string> result;
    for (const PythonLiteral& element : value.elements) {
      if (element.kind != PythonLiteral::Kind::text || element.text.empty()) {
        refuse(field, "holds something that is no text");
      }
      if (std::find(result.begin(), result.end(), element.text) == result.end()) {
        result.push_back(element.text);
      }
    }
    return result;
  }
  [[noreturn]] void refuse(Field field, const std::string& why) const {
    throw Unreadable(std::string(file_) + ":" + std::to_string(settings_[field].line) + ": `" +
                     std::string(field_names[field]) + "` " + why);
  }

 private:
  static const PythonToken* after(const Tokens& tokens) { return tokens.data() + tokens.size(); }

  void statement(const PythonLine& line, bool first) {
    const Tokens& tokens = line.tokens;
    const PythonToken& head = tokens.front();
    const PythonToken& named = tokens[std::min<std::size_t>(1, tokens.size() - 1)];
    if (head.is_name("def") || head.is_name("class") ||
        (head.is_name("async") && named.is_name("def"))) {
      const std::size_t name = head.is_name("async") ? 2 : 1;
      if (name < tokens.size()) mentions({&tokens[name], &tokens[name] + 1});
      body_indent_ = line.indent;
      return;
    }
    for (const Range& part : split(tokens.data(), after(tokens), ";")) {
      if (part.first == part.second) continue;
      if (first && part.first == tokens.data()) docstring(part);
      // What stands in the block of an `if` or a `try` may happen or not.
      if (line.indent > 0) {
        if (!star_import_in(part)) bindings(part);
      } else {
        simple_statement(part);
      }
    }
  }

  void simple_statement(const Range& part) {
    if (star_import_in(part)) return;
    const PythonToken& head = *part.first;
    const std::vector<Range> parts = split(part.first, part.second, "=");
    if (parts.size() == 1) {
      const bool only_annotated =
          part.second - part.first > 2 && field_of(head) != no_field && (part.first + 1)->is(":");
      if (!only_annotated) bindings(part);
      return;
    }
    const Range value = parts.back();
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) assign(parts[i], value);
    bindings(value);
  }

  // Names that come from elsewhere; what is assigned below wins.
  bool star_import_in(const Range& part) {
    if (!part.first->is_name("from") || !(part.second - 1)->is("*")) return false;
    star_import_ = part.first->line;
    for (std::size_t field = 0; field < field_names.size(); ++field) {
      if (settings_[field].set) forget(field, star_import_);
    }
    return true;
  }

  // `target` as it stands before "=": a name, one with its type, or several.
  void assign(const Range& target, const Range& value) {
    if (target.first == target.second) return;
    const std::size_t field = field_of(*target.first);
    const std::ptrdiff_t size = target.second - target.first;
    if (field != no_field && (size == 1 || (target.first + 1)->is(":"))) {
      settings_[field] = {true, python_literal(value.first, value.second), target.first->line};
      return;
    }
    if (!mentions(target)) return;
    const std::optional<PythonLiteral> values = python_literal(value.first, value.second);
    const std::vector<Range> targets = split(target.first, target.second, ",");
    if (!values || values->kind != PythonLiteral::Kind::sequence ||
        values->elements.size() != targets.size()) {
      return;
    }
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const std::size_t one =
          targets[i].second - targets[i].first == 1 ? field_of(*targets[i].first) : no_field;
      if (one != no_field) settings_[one] = {true, values->elements[i], target.first->line};
    }
  }

  // A statement that is no plain assignment, or part of one: the fields that it may set are no
  // longer known. To read one is harmless, as in `assert revision == "a1"`.
  void bindings(const Range& part) {
    if (part.first == part.second) return;
    constexpr std::string_view binding[] = {"async", "case",   "del",    "except", "for",
                                            "from",  "global", "import", "match",  "with"};
    if (std::any_of(std::begin(binding), std::end(binding),
                    [&](std::string_view word) { return part.first->is_name(word); })) {
      mentions(part);
      return;
    }
    int depth = 0;
    for (const PythonToken* token = part.first; token != part.second; ++token) {
      if (token->is("(") || token->is("[") || token->is("{")) ++depth;
      if (token->is(")") || token->is("]") || token->is("}")) --depth;
      if (token->is(":=")) mentions({token == part.first ? token : token - 1, token});
      if (depth == 0 && assigns(*token)) mentions({part.first, token});
    }
  }

  // "=", "+=" and the like.
  static bool assigns(const PythonToken& token) {
    if (token.kind != PythonToken::Kind::sign || token.text.back() != '=') return false;
    return token.text.size() == 1 ||
           std::string_view("=!<>:").find(token.text[0]) == std::string_view::npos;
  }

  // The fields that are named there are no longer known. Not: an attribute of that name, and the
  // keyword of a call. Returns whether one is named.
  bool mentions(const Range& part) {
    bool found = false;
    int depth = 0;
    for (const PythonToken* token = part.first; token != part.second; ++token) {
      if (token->is("(") || token->is("[") || token->is("{")) ++depth;
      if (token->is(")") || token->is("]") || token->is("}")) --depth;
      const std::size_t field = field_of(*token);
      if (field == no_field) continue;
      if (token != part.first && (token - 1)->is(".")) continue;
      if (depth > 0 && token + 1 != part.second && (token + 1)->is("=")) continue;
      forget(field, token->line);
      found = true;
    }
    return found;
  }

  void forget(std::size_t field, std::size_t line) {
    settings_[field] = {true, std::nullopt, line};
  }

  void docstring(const Range& part) {
    const std::optional<PythonLiteral> value = python_literal(part.first, part.second);
    const bool strings = std::all_of(part.first, part.second, [](const PythonToken& token) {
      return token.kind == PythonToken::Kind::string;
    });
    if (strings && value) message_ = value->text;
  }

  std::string_view file_;
  PythonSource source_;
  std::optional<std::size_t> body_indent_;  // of the function or class whose body is skipped
  std::array<Setting, field_names.size()> settings_;
  std::size_t star_import_ = 0;
  std::string message_;
};

// As Alembic shows it: up to the first empty line; here on one line.
std::string first_paragraph(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\n\f"), text.size());
  text.remove_prefix(begin);
  text = text.substr(0, text.find("\n\n"));
  std::string result;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\f') {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

// How many bytes the character at the beginning of `text` has; 0: it is no UTF-8.
std::size_t utf8_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  return overlong || surrogate || (lead == 0xF4 && second >= 0x90) ? 0 : size;
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// "72c1f0.py" is revision 72c1f0, where the file itself names none.
std::string revision_of_name(std::string_view name) {
  const std::size_t end = name.find_first_not_of("0123456789abcdef");
  if (end == 0 || name.substr(std::min(end, name.size())) != ".py") return "";
  return std::string(name.substr(0, end));
}

}  // namespace

std::string presentable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = utf8_size(text);
    if (result.size() + std::max<std::size_t>(size, 1) > longest_message) return result + "...";
    result += size == 0 ? std::string_view("?") : text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return result;
}

bool is_revision_file(std::string_view name) {
  const auto begins = [&](std::string_view with) { return name.substr(0, with.size()) == with; };
  return name.size() >= 3 && name.substr(name.size() - 3) == ".py" && !begins(".#") &&
         !begins("__init__");
}

RevisionFile read_revision_file(std::string_view file, std::string_view source) {
  ModuleReader module(file, source);
  module.read();
  RevisionFile result;
  result.file = file;
  result.message = presentable(first_paragraph(module.message()));
  result.revision =
      module.has(revision_field) ? module.text(revision_field) : revision_of_name(file_name(file));
  const auto missing = [&](std::string_view field) {
    return Unreadable(result.file + ": sets no `" + std::string(field) +
                      "`, so it is no revision file");
  };
  if (result.revision.empty()) throw missing("revision");
  if (result.revision.find_first_of("@+-\n\r") != std::string::npos ||
      presentable(result.revision) != result.revision) {
    module.refuse(revision_field, "is no name of a revision");
  }
  if (!module.has(down_field)) throw missing("down_revision");
  for (const Field field : {depends_field, labels_field}) {
    if (module.star_import() != 0 && !module.has(field)) {
      throw Unreadable(result.file + ":" + std::to_string(module.star_import()) + ": `" +
                       std::string(field_names[field]) + "` may come from the `import *`");
    }
  }
  result.down_revisions = module.texts(down_field);
  result.depends_on = module.texts(depends_field);
  result.branch_labels = module.texts(labels_field);
  return result;
}

}  // namespace drydock::alembic
