// Python source as logical lines of tokens: as much of the language's lexical rules as is needed to
// find the assignments of a module among its functions, strings and comments. Nothing is executed.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::alembic {

// What the scripts say cannot be told without running them. The sentence names the place; it ends
// no step: whoever asked falls back to asking Alembic itself.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PythonToken {
  enum class Kind { name, string, number, sign };
  Kind kind;
  std::string_view text;  // as written: a string with its prefix and quotes
  std::size_t line;       // from 1

  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

// A line as Python counts them: brackets, backslashes and triple quotes join several into one.
struct PythonLine {
  std::size_t indent = 0;           // columns; a tab goes to the next multiple of eight
  std::vector<PythonToken> tokens;  // never empty
};

// Hands out the logical lines of `source`, which has to outlive it and the tokens. Lexical rules:
// The Python Language Reference, chapter 2. An f-string is one token that ends at its own quote,
// as before Python 3.12.
class PythonSource {
 public:
  // file: for the sentence when it is no Python.
  PythonSource(std::string_view file, std::string_view source);
  // False at the end of the source. Throws Unreadable for text that is no Python.
  bool next(PythonLine& line);

 private:
  bool at_end() const { return at_ >= source_.size(); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  std::size_t indentation();
  void skip_line_end();
  bool skip_joined_line();
  std::size_t string_prefix() const;
  PythonToken string_token(std::size_t prefix);
  PythonToken word_token();
  PythonToken sign_token();
  [[noreturn]] void refuse(std::size_t line, const std::string& why) const;

  std::string_view file_, source_;
  std::size_t at_ = 0, line_ = 1;
  std::vector<char> open_;  // brackets that wait for their counterpart
};

// The lines of a revision that count for an upgrade: all but those of its function downgrade().
class UpgradeLines {
 public:
  explicit UpgradeLines(std::string_view source) : lines_("", source) {}
  bool next(PythonLine& line);  // as PythonSource has it

 private:
  PythonSource lines_;
  std::optional<std::size_t> skipped_;  // the indentation of `def downgrade`
};

}  // namespace drydock::alembic
