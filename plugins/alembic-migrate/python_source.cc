#include "python_source.h"

#include <algorithm>
#include <array>

namespace drydock::alembic {
namespace {

// Of every byte, since a large folder has millions of them.
struct WordBytes {
  std::array<bool, 256> begins{}, continues{};
  constexpr WordBytes() {
    for (std::size_t byte = 0; byte < begins.size(); ++byte) {
      const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
      begins[byte] = letter || byte == '_' || byte >= 0x80;
      continues[byte] = begins[byte] || (byte >= '0' && byte <= '9');
    }
  }
};
constexpr WordBytes word_bytes;

bool begins_name(char c) { return word_bytes.begins[static_cast<unsigned char>(c)]; }
bool continues_word(char c) { return word_bytes.continues[static_cast<unsigned char>(c)]; }
bool is_prefix_letter(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return lower == 'r' || lower == 'b' || lower == 'u' || lower == 'f';
}
bool ends_line(char c) { return c == '\n' || c == '\r'; }

}  // namespace

PythonSource::PythonSource(std::string_view file, std::string_view source)
    : file_(file), source_(source) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (source_.substr(0, byte_order_mark.size()) == byte_order_mark) at_ = byte_order_mark.size();
}

void PythonSource::refuse(std::size_t line, const std::string& why) const {
  throw Unreadable(std::string(file_) + ":" + std::to_string(line) + ": " + why);
}

bool PythonSource::next(PythonLine& line) {
  line.tokens.clear();
  line.indent = indentation();
  while (!at_end()) {
    const char c = peek();
    if (ends_line(c)) {
      skip_line_end();
      if (!open_.empty()) continue;
      if (!line.tokens.empty()) return true;
      line.indent = indentation();  // a blank line
    } else if (c == ' ' || c == '\t' || c == '\f') {
      ++at_;
    } else if (c == '#') {
      while (!at_end() && !ends_line(peek())) ++at_;
    } else if (c == '\0') {
      refuse(line_, "the file holds a NUL byte, so it is no Python source");
    } else if (skip_joined_line()) {
      continue;
    } else if (const std::size_t prefix = string_prefix(); prefix != std::string_view::npos) {
      line.tokens.push_back(string_token(prefix));
    } else if (continues_word(c)) {
      line.tokens.push_back(word_token());
    } else {
      line.tokens.push_back(sign_token());
    }
  }
  if (!open_.empty()) refuse(line_, std::string("`") + open_.back() + "` is never closed");
  return !line.tokens.empty();
}

std::size_t PythonSource::indentation() {
  std::size_t columns = 0;
  for (; !at_end(); ++at_) {
    if (peek() == ' ')
      ++columns;
    else if (peek() == '\t')
      columns = columns / 8 * 8 + 8;
    else if (peek() == '\f')
      columns = 0;
    else
      break;
  }
  return columns;
}

void PythonSource::skip_line_end() {
  at_ += peek() == '\r' && peek(1) == '\n' ? 2 : 1;
  ++line_;
}

// A backslash before the end of the line.
bool PythonSource::skip_joined_line() {
  if (peek() != '\\' || !ends_line(peek(1))) return false;
  ++at_;
  skip_line_end();
  return true;
}

// How many letters stand before the quote of a string that begins here; npos: none does.
std::size_t PythonSource::string_prefix() const {
  std::size_t letters = 0;
  while (letters < 2 && is_prefix_letter(peek(letters))) ++letters;
  const char quote = peek(letters);
  return quote == '\'' || quote == '"' ? letters : std::string_view::npos;
}

PythonToken PythonSource::string_token(std::size_t prefix) {
  const std::size_t begin = at_, first_line = line_;
  at_ += prefix;
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  at_ += triple ? 3 : 1;
  for (;;) {
    if (at_end()) refuse(first_line, "a string is never closed");
    const char c = peek();
    if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) break;
    if (c == '\\' && at_ + 1 < source_.size()) ++at_;  // in a raw string, too, it guards a quote
    if (ends_line(peek())) {
      if (!triple && c != '\\') refuse(first_line, "a string is never closed");
      skip_line_end();
    } else {
      ++at_;
    }
  }
  at_ += triple ? 3 : 1;
  return {PythonToken::Kind::string, source_.substr(begin, at_ - begin), first_line};
}

PythonToken PythonSource::word_token() {
  const std::size_t begin = at_;
  const bool name = begins_name(peek());
  while (continues_word(peek()) || (!name && peek() == '.')) ++at_;
  return {name ? PythonToken::Kind::name : PythonToken::Kind::number,
          source_.substr(begin, at_ - begin), line_};
}

// One character, or two that end with "=": "==" and "+=" must not look like an assignment.
PythonToken PythonSource::sign_token() {
  const std::size_t begin = at_;
  const char c = source_[at_++];
  if (const std::size_t kind = std::string_view("([{").find(c); kind != std::string_view::npos) {
    open_.push_back(c);
  } else if (const std::size_t closed = std::string_view(")]}").find(c);
             closed != std::string_view::npos) {
    if (open_.empty() || open_.back() != "([{"[closed]) {
      refuse(line_, std::string("`") + c + "` closes nothing");
    }
    open_.pop_back();
  } else if (peek() == '=' &&
             std::string_view("=!<>+-*/%&|^@:").find(c) != std::string_view::npos) {
    ++at_;
  }
  return {PythonToken::Kind::sign, source_.substr(begin, at_ - begin), line_};
}

bool UpgradeLines::next(PythonLine& line) {
  while (lines_.next(line)) {
    if (skipped_ && line.indent > *skipped_) continue;
    skipped_.reset();
    const bool downgrade = line.tokens.size() > 1 && line.tokens[0].is_name("def") &&
                           line.tokens[1].is_name("downgrade");
    if (!downgrade) return true;
    skipped_ = line.indent;
  }
  return false;
}

}  // namespace drydock::alembic
