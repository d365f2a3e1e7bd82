// `.env` files as Docker Compose reads them (compose-go's dotenv): a cursor over the whole text,
// not lines. The text is kept, so that whoever changes one variable writes every other byte back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// Why Compose would refuse the file.
struct EnvError {
  std::size_t line = 0;  // that Compose names; 0: none
  std::string text;      // in Compose's words, which may quote a value
  std::size_t at = 0;    // the line where the statement begins
  std::string reason;    // the same without any value: for people, logs and reports

  // As Compose says it: "line 3: unterminated quoted value "abc", or the text alone.
  std::string describe() const;
  // "line 2: the quoted value of KEY does not end"
  std::string explain() const { return "line " + std::to_string(at) + ": " + reason; }
};

// One `KEY=value`, `KEY: value`, `export KEY=value`, or a KEY alone. All views look into the text.
// Of a million of them there are several lists, so they are kept as small as that goes.
class EnvStatement {
 public:
  EnvStatement(std::string_view text, std::size_t lead, std::size_t begin)
      : text_(text.data()), lead_(narrow(lead)), begin_(narrow(begin)) {}

  // Blank and comment lines before it, and its indentation.
  std::string_view lead() const { return {text_ + lead_, begin_ - lead_}; }
  // The statement with its inline comment and line end.
  std::string_view whole() const { return {text_ + begin_, size_}; }
  std::string_view key() const { return {text_ + key_, key_size_}; }
  // As written, without quotes, inline comment and blanks around it.
  std::string_view value() const { return {text_ + value_, value_size_}; }
  // The value may name other variables.
  bool interpolated() const { return quote != '\'' && value().find('$') != std::string_view::npos; }

  // Views into the same text.
  void set_end(std::size_t end) { size_ = narrow(end) - begin_; }
  void set_key(std::string_view key) {
    key_ = narrow(static_cast<std::size_t>(key.data() - text_));
    key_size_ = narrow(key.size());
  }
  void set_value(std::string_view value) {
    value_ = narrow(static_cast<std::size_t>(value.data() - text_));
    value_size_ = narrow(value.size());
  }

 private:
  static std::uint32_t narrow(std::size_t offset) { return static_cast<std::uint32_t>(offset); }

  const char* text_;
  std::uint32_t lead_, begin_, size_ = 0, key_ = 0, key_size_ = 0, value_ = 0, value_size_ = 0;

 public:                   // last, where they take no room
  char quote = 0;          // ' or ", or 0
  bool inherited = false;  // a KEY alone: its value comes from Compose's own environment
};

class EnvFile {
 public:
  // At most 4 GiB (std::length_error).
  static EnvFile parse(std::string text);

  const std::string& text() const { return *text_; }
  std::shared_ptr<const std::string> shared_text() const { return text_; }
  // Where the statement begins, counted from 1. Counts through the file: nothing that works asks.
  std::size_t line_of(const EnvStatement& statement) const;
  // Each byte of the text belongs to a lead or a whole, or to the tail; a byte order mark before
  // the first lead is left out.
  const std::vector<EnvStatement>& statements() const { return statements_; }
  std::string_view tail() const { return tail_; }
  // Where Compose stops reading. The statements before that place are there.
  const std::optional<EnvError>& error() const { return error_; }

 private:
  std::shared_ptr<const std::string> text_;
  std::vector<EnvStatement> statements_;
  std::string_view tail_;
  std::optional<EnvError> error_;
};

// It has blank lines and comments alone.
bool sets_nothing(std::string_view env_file);

// Compose's own environment (and env files read before): nullopt when it has no such variable.
using EnvLookup = std::function<std::optional<std::string>(std::string_view key)>;

// What a file means. Keeps the file's text alive. For one thread at a time: it remembers where it
// looked last, since who compares two files asks for one key after the other.
class EnvValues {
 public:
  // The first thing that Compose refuses, in reading order: a statement or an interpolation.
  const std::optional<EnvError>& error() const { return error_; }
  // nullptr when the variable is not set. Several statements of one key: the last one wins.
  const std::string_view* find(std::string_view key) const;
  // The last statement of the key, in the file's statements(); npos when there is none.
  std::size_t statement(std::string_view key) const;
  // Names that were interpolated and are not set.
  const std::vector<std::string>& unset() const { return unset_; }
  // Keys in the order in which they first stand in the file; each once.
  std::vector<std::string_view> keys() const;
  // How many there are, the one at a position of that order, and where a key stands in it (npos:
  // nowhere).
  std::size_t size() const { return variables_.size(); }
  std::string_view key_at(std::size_t position) const { return variables_[position].key; }
  std::size_t position(std::string_view key) const;

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  friend EnvValues evaluate(const EnvFile&, const EnvLookup&, const EnvLookup&);
  struct Variable {
    std::string_view key;
    std::string_view value;
    std::uint32_t statement = 0;
    bool set = false;
  };
  Variable& variable(std::string_view key, std::size_t hash);
  const Variable* known(std::string_view key) const;
  const Variable* known(std::string_view key, std::size_t hash) const;
  const Variable* beside_last(std::string_view key) const;
  void make_room(std::size_t count);
  void take_slot(std::size_t position, std::size_t hash);

  std::shared_ptr<const std::string> text_;
  std::vector<Variable> variables_;
  mutable std::size_t last_ = 0;      // position that was found last
  std::vector<std::uint64_t> slots_;  // open addressing
  std::deque<std::string> made_;      // values that do not stand in the text as they are
  std::vector<std::string> unset_;
  std::optional<EnvError> error_;
};

// `referred`: Compose's environment for whoever looks at what the file says. Values may refer to
// it, as to HOME, and it wins there, as it does for Compose; but what the file sets is what it
// sets.
EnvValues evaluate(const EnvFile& file, const EnvLookup& environment = {},
                   const EnvLookup& referred = {});

// Names that `$NAME` and `${NAME...}` in a value refer to, nested ones included.
std::vector<std::string_view> interpolated_names(const EnvStatement& statement);

// The value as it is written after `KEY=`, quoted where it must be, so that Compose reads exactly
// these bytes. A NUL cannot be written (std::invalid_argument).
std::string write_env_value(std::string_view value);

}  // namespace drydock
