// What the statements of an `.env` file mean: escapes, then interpolation. Follows compose-go's
// dotenv/godotenv.go and template/template.go.
#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "env_characters.h"
#include "env_file.h"
#include "env_interpolate.h"

namespace drydock {
namespace {

// Inside quotes `\"` (or `\'`) is the quote; every other backslash stays for now.
std::string without_escaped_quotes(std::string_view value, char quote) {
  std::string result;
  bool escaped = false;
  for (const char c : value) {
    if (escaped && c != quote) result += '\\';
    escaped = !escaped && c == '\\';
    if (!escaped) result += c;
  }
  return result;
}

// `\0` and three octal digits name a character up to U+00FF; what is less than that loses its 0.
std::string octal(std::string_view digits) {
  unsigned value = 0;
  for (const char digit : digits) {
    if (digit > '7') value = 0x1000;
    value = value * 8 + static_cast<unsigned>(digit - '0');
  }
  if (digits.size() != 3 || value > 0xff) return "\\" + std::string(digits);
  return env_characters::encode(value);
}

std::string with_escapes(std::string_view value) {
  std::string result;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      result += value[i];
      continue;
    }
    const char next = value[++i];
    constexpr std::string_view names = "abfnrtv\"\\";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\"\\";
    if (const std::size_t found = names.find(next); found != names.npos) {
      result += meanings[found];
    } else if (next == '$') {
      result += "$$";  // which interpolation makes one dollar
    } else if (next == '0') {
      const std::size_t begin = i + 1;
      while (i + 1 < value.size() && i + 1 < begin + 3 && value[i + 1] >= '0' &&
             value[i + 1] <= '9') {
        ++i;
      }
      result += octal(value.substr(begin, i + 1 - begin));
    } else {
      result += '\\';
      result += next;
    }
  }
  return result;
}

std::size_t hash_of(std::string_view key) { return std::hash<std::string_view>()(key); }

// The hashes of a file's keys, one after the other, some steps ahead: in a large file each slot is
// one wait for memory, which so begins early.
class UpcomingHashes {
 public:
  UpcomingHashes(const std::vector<EnvStatement>& statements,
                 const std::vector<std::uint64_t>& slots)
      : statements_(statements), slots_(slots) {
    while (next_ < std::min(ahead, statements.size())) look_ahead();
  }
  // Asked for each position once, in order.
  std::size_t of(std::size_t position) {
    const std::size_t hash = hashes_[position % ahead];
    if (next_ < statements_.size()) look_ahead();
    return hash;
  }

 private:
  static constexpr std::size_t ahead = 16;
  void look_ahead() {
    const std::size_t hash = hash_of(statements_[next_].key());
    hashes_[next_ % ahead] = hash;
    __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
    ++next_;
  }

  const std::vector<EnvStatement>& statements_;
  const std::vector<std::uint64_t>& slots_;
  std::array<std::size_t, ahead> hashes_{};
  std::size_t next_ = 0;
};

}  // namespace

// A slot holds a position, plus 1, and the upper half of the key's hash: another key is nearly
// always told without looking at it.
const EnvValues::Variable* EnvValues::known(std::string_view key) const {
  if (const Variable* found = beside_last(key)) return found;
  return slots_.empty() ? nullptr : known(key, hash_of(key));
}

const EnvValues::Variable* EnvValues::beside_last(std::string_view key) const {
  for (std::size_t near = last_; near < variables_.size() && near <= last_ + 1; ++near) {
    if (variables_[near].key == key) {
      last_ = near;
      return &variables_[near];
    }
  }
  return nullptr;
}

const EnvValues::Variable* EnvValues::known(std::string_view key, std::size_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i] != 0; i = (i + 1) & mask) {
    if (slots_[i] >> 32 != hash >> 32) continue;
    const std::size_t position = (slots_[i] & 0xffffffff) - 1;
    if (variables_[position].key != key) continue;
    last_ = position;
    return &variables_[position];
  }
  return nullptr;
}

EnvValues::Variable& EnvValues::variable(std::string_view key, std::size_t hash) {
  if (const Variable* found = known(key, hash)) {
    return variables_[static_cast<std::size_t>(found - variables_.data())];
  }
  variables_.push_back({key, {}, 0, false});
  take_slot(variables_.size() - 1, hash);
  return variables_.back();
}

void EnvValues::make_room(std::size_t count) {
  std::size_t size = 64;
  while (size < 2 * count) size *= 2;
  slots_.assign(size, 0);
}

void EnvValues::take_slot(std::size_t position, std::size_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i] != 0) i = (i + 1) & mask;
  slots_[i] = (hash >> 32 << 32) | (position + 1);
}

const std::string_view* EnvValues::find(std::string_view key) const {
  const Variable* found = known(key);
  return found != nullptr && found->set ? &found->value : nullptr;
}

std::size_t EnvValues::statement(std::string_view key) const {
  const Variable* found = known(key);
  return found == nullptr ? npos : found->statement;
}

std::size_t EnvValues::position(std::string_view key) const {
  const Variable* found = known(key);
  return found == nullptr ? npos : static_cast<std::size_t>(found - variables_.data());
}

std::vector<std::string_view> EnvValues::keys() const {
  std::vector<std::string_view> result;
  result.reserve(variables_.size());
  for (const Variable& variable : variables_) result.push_back(variable.key);
  return result;
}

EnvValues evaluate(const EnvFile& file, const EnvLookup& environment, const EnvLookup& referred) {
  EnvValues result;
  result.text_ = file.shared_text();
  const EnvStatement* not_settable = nullptr;  // what no process environment can hold
  std::size_t interpolated_bytes = 0;

  const EnvLookup seen = [&](std::string_view name) -> std::optional<std::string> {
    for (const EnvLookup* outside : {&environment, &referred}) {
      if (!*outside) continue;
      if (std::optional<std::string> outer = (*outside)(name)) return outer;
    }
    const std::string_view* value = result.find(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
  };
  const auto evaluated = [&](const EnvStatement& statement) -> std::string_view {
    const bool escapes = statement.quote != 0 && statement.value().find('\\') != std::string::npos;
    if (!escapes && !statement.interpolated()) return statement.value();
    std::string value(statement.value());
    if (escapes) value = without_escaped_quotes(value, statement.quote);
    if (escapes && statement.quote == '"') value = with_escapes(value);
    if (statement.quote != '\'' && value.find('$') != value.npos) {
      Interpolated made = interpolate(value, seen);
      for (std::string& name : made.unset) result.unset_.push_back(std::move(name));
      if (made.error) {
        result.error_ = EnvError{0, std::move(*made.error), file.line_of(statement),
                                 "the value of " + std::string(statement.key()) +
                                     " has a ${...} that is malformed, or that needs a variable "
                                     "which is not set; in single quotes a $ is literal"};
      }
      value = std::move(made.value);
      interpolated_bytes += value.size();
      if (interpolated_bytes > largest_interpolated) {
        result.error_ = EnvError{0, "too large", file.line_of(statement),
                                 "up to the value of " + std::string(statement.key()) +
                                     ", values that refer to others make more than " +
                                     std::to_string(largest_interpolated >> 20) + " MiB"};
      }
    }
    return result.made_.emplace_back(std::move(value));
  };

  const std::vector<EnvStatement>& statements = file.statements();
  result.variables_.reserve(statements.size());
  result.make_room(statements.size());
  UpcomingHashes hashes(statements, result.slots_);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const EnvStatement& statement = statements[i];
    const std::size_t hash = hashes.of(i);
    if (statement.inherited && statement.key().empty()) continue;
    const std::string_view value = statement.inherited ? std::string_view() : evaluated(statement);
    if (result.error_) return result;
    std::optional<std::string> outer = environment ? environment(statement.key()) : std::nullopt;
    EnvValues::Variable& variable = result.variable(statement.key(), hash);
    variable.statement = static_cast<std::uint32_t>(i);
    if (outer) {
      variable.value = result.made_.emplace_back(std::move(*outer));
      variable.set = true;
    } else if (!statement.inherited) {
      variable.value = value;
      variable.set = true;
    }
    if (statement.key().empty() || value.find('\0') != value.npos) not_settable = &statement;
  }
  result.error_ = file.error();
  if (!result.error_ && not_settable != nullptr) {
    result.error_ = EnvError{0, "setenv: invalid argument", file.line_of(*not_settable),
                             "a variable without a name, or a NUL byte in a value; the last line "
                             "needs a line end"};
  }
  return result;
}

}  // namespace drydock
