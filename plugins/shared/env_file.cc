// The statements of an `.env` file. Follows compose-go's dotenv/parser.go, whose rules are proven
// by asking Compose itself (see the conformance test).
#include "env_file.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "env_characters.h"

namespace drydock {
namespace {

using namespace env_characters;

// The characters that nearly all names are made of.
bool is_plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The line, counted from 1, that a place of the text is on.
std::size_t line_at(std::string_view text, std::size_t place) {
  const std::string_view before = text.substr(0, place);
  return 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  }

  void parse() {
    // What most files have at least; memory that is not used is not touched.
    statements.reserve(text_.size() / 80 + 1);
    for (;;) {
      const std::size_t lead = at_;
      if (!skip_to_statement()) {
        tail = text_.substr(lead);
        return;
      }
      EnvStatement statement(text_, lead, at_);
      if (!read_key(statement)) return;
      if (!statement.inherited && !read_value(statement)) return;
      statement.set_end(at_);
      statements.push_back(statement);
    }
  }

  // Past blanks and comments. False at the end of the text.
  bool skip_to_statement() {
    while (at_ < text_.size()) {
      const Character c = decode(rest());
      if (c.value == '#') {
        skip_line();
      } else if (is_space(c.value)) {
        at_ += c.size;
      } else {
        return true;
      }
    }
    return false;
  }

  std::vector<EnvStatement> statements;
  std::string_view tail;
  std::optional<EnvError> error;

 private:
  // `reason` says it without a value.
  bool refuse(const EnvStatement& begun, std::string why, std::string reason) {
    // Compose 2.26 does not count the line of a KEY alone with a space after it.
    const auto begins = static_cast<std::size_t>(begun.whole().data() - text_.data());
    error = EnvError{line_at(text_, at_) - uncounted_, std::move(why), line_at(text_, begins),
                     std::move(reason)};
    return false;
  }
  std::string_view rest() const { return text_.substr(at_); }
  std::string_view rest_of_line(std::size_t from) const {
    return text_.substr(from, text_.find('\n', from) - from);
  }
  void skip_blanks() {
    while (at_ < text_.size()) {
      const Character c = decode(rest());
      if (!is_blank(c.value)) return;
      at_ += c.size;
    }
  }
  // Past the end of the line.
  void skip_line() { at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1; }

  bool read_key(EnvStatement& statement) {
    constexpr std::string_view word = "export";
    constexpr std::string_view after_word = "\t\n\f\r ";
    if (rest().starts_with(word) && rest().size() > word.size() &&
        after_word.find(rest()[word.size()]) != after_word.npos) {
      at_ += word.size();
      skip_blanks();
      if (at_ == text_.size()) {
        refuse(statement, "zero length string", "nothing follows `export`");
        error->line = 0;
        return false;
      }
    }
    const std::size_t begin = at_;
    std::size_t end = begin;
    for (; end < text_.size();) {
      if (is_plain(text_[end])) {
        ++end;
        continue;
      }
      const Character c = decode(text_.substr(end));
      if (c.value == '=' || c.value == ':' || c.value == '\n') break;
      if (!is_blank(c.value) && !is_key_character(c.value)) {
        const std::string character = quoted_character(c, end);
        return refuse(statement,
                      "unexpected character " + character + " in variable name " +
                          quoted(rest_of_line(begin)),
                      "a variable's name cannot contain " + character);
      }
      end += c.size;
    }
    if (end == text_.size()) return true;  // no separator: Compose takes all of it for a value
    statement.inherited = text_[end] == '\n';
    statement.set_key(trim_end(text_.substr(begin, end - begin)));
    if (statement.key().find(' ') != std::string_view::npos) {
      return refuse(statement, "key cannot contain a space",
                    "a variable's name cannot contain a space; a comment begins with #");
    }
    at_ = end + 1;
    const bool blank = text_.substr(begin, end - begin).find(' ') != text_.npos;
    if (statement.inherited && blank) ++uncounted_;
    if (!statement.inherited) skip_blanks();
    return true;
  }

  bool read_value(EnvStatement& statement) {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      return read_quoted(statement);
    }
    std::string_view value = rest_of_line(at_);
    at_ = std::min(at_ + value.size() + 1, text_.size());
    value = value.substr(0, value.find(" #"));
    statement.set_value(trim_end(value));
    return true;
  }

  bool read_quoted(EnvStatement& statement) {
    const std::size_t opened = at_;
    statement.quote = text_[opened];
    bool escaped = false;
    for (std::size_t i = opened + 1; i < text_.size(); ++i) {
      if (text_[i] == statement.quote && !escaped) {
        statement.set_value(text_.substr(opened + 1, i - opened - 1));
        at_ = i + 1;
        finish_line();
        return true;
      }
      escaped = !escaped && text_[i] == '\\';
    }
    at_ = text_.size();
    return refuse(statement, "unterminated quoted value " + std::string(rest_of_line(opened)),
                  "the quoted value of " + std::string(statement.key()) + " does not end");
  }

  // After a closing quote: a comment and the line's end belong to the statement. Anything else is
  // the next statement.
  void finish_line() {
    const std::size_t closed = at_;
    skip_blanks();
    if (at_ == text_.size()) return;
    if (text_[at_] == '#' || text_[at_] == '\n') {
      skip_line();
    } else {
      at_ = closed;
    }
  }

  std::string quoted_character(const Character& c, std::size_t at) const {
    return c.value == invalid ? quoted(encode(invalid)) : quoted(text_.substr(at, c.size));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t uncounted_ = 0;
};

}  // namespace

std::string EnvError::describe() const {
  return line == 0 ? text : "line " + std::to_string(line) + ": " + text;
}

std::size_t EnvFile::line_of(const EnvStatement& statement) const {
  return line_at(*text_, static_cast<std::size_t>(statement.whole().data() - text_->data()));
}

bool sets_nothing(std::string_view env_file) { return !Parser(env_file).skip_to_statement(); }

EnvFile EnvFile::parse(std::string text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("an env file of more than 4 GiB");
  }
  EnvFile file;
  file.text_ = std::make_shared<const std::string>(std::move(text));
  Parser parser(*file.text_);
  parser.parse();
  file.statements_ = std::move(parser.statements);
  file.tail_ = parser.tail;
  file.error_ = std::move(parser.error);
  return file;
}

}  // namespace drydock
