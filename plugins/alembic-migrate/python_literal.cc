#include "python_literal.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace drydock::alembic {
namespace {

constexpr int deepest_literal = 20;  // brackets in brackets

void append_utf8(std::string& text, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F));
  }
}

// Reads up to `most` digits at the beginning of `rest`; nullopt: fewer than `least`.
std::optional<std::uint32_t> take_digits(std::string_view& rest, int base, std::size_t least,
                                         std::size_t most) {
  std::uint32_t value = 0;
  std::size_t count = 0;
  for (; count < most && count < rest.size(); ++count) {
    const char c = rest[count];
    int digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit >= base) break;
    value = value * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
  }
  rest.remove_prefix(count);
  if (count < least || value > 0x10FFFF) return std::nullopt;
  return value;
}

// What stands behind a backslash. False: it cannot be told.
bool append_escape(std::string& text, std::string_view& rest) {
  constexpr std::string_view letters = "abfnrtv\\'\"", meanings = "\a\b\f\n\r\t\v\\'\"";
  const char c = rest.front();
  if (const std::size_t known = letters.find(c); known != std::string_view::npos) {
    rest.remove_prefix(1);
    text += meanings[known];
    return true;
  }
  if (c == '\n') {
    rest.remove_prefix(1);
    return true;
  }
  std::optional<std::uint32_t> code;
  if (c >= '0' && c <= '7') {
    code = take_digits(rest, 8, 1, 3);
  } else if (c == 'x' || c == 'u' || c == 'U') {
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
    rest.remove_prefix(1);
    code = take_digits(rest, 16, digits, digits);
  } else if (c == 'N') {
    return false;
  } else {
    text += '\\';  // no escape at all: both characters stay
    return true;
  }
  if (!code) return false;
  append_utf8(text, *code);
  return true;
}

// A source may have the line ends of any system; Python sees "\n".
std::string with_plain_line_ends(std::string_view written) {
  std::string text;
  text.reserve(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '\r') {
      text += written[i];
    } else {
      text += '\n';
      if (i + 1 < written.size() && written[i + 1] == '\n') ++i;
    }
  }
  return text;
}

class LiteralReader {
 public:
  LiteralReader(const PythonToken* begin, const PythonToken* end) : at_(begin), end_(end) {}

  std::optional<PythonLiteral> whole() {
    std::optional<PythonLiteral> value = tuple_or_single(0);
    return at_ == end_ ? value : std::nullopt;
  }

 private:
  using Kind = PythonLiteral::Kind;
  struct Items {
    std::vector<PythonLiteral> values;
    bool comma = false;
  };

  bool sees(std::string_view sign) const { return at_ != end_ && at_->is(sign); }
  bool take(std::string_view sign) {
    const bool seen = sees(sign);
    if (seen) ++at_;
    return seen;
  }
  bool at_closing() const { return at_ == end_ || sees(")") || sees("]") || sees("}"); }

  // Values with commas between them, up to what closes them.
  std::optional<Items> items(int depth) {
    Items result;
    while (!at_closing()) {
      std::optional<PythonLiteral> value = sum(depth);
      if (!value) return std::nullopt;
      result.values.push_back(*std::move(value));
      if (!take(",")) break;
      result.comma = true;
    }
    return result;
  }

  // The comma makes the tuple, not the brackets around it.
  std::optional<PythonLiteral> tuple_or_single(int depth) {
    std::optional<Items> found = items(depth);
    if (!found) return std::nullopt;
    if (!found->comma && found->values.size() == 1) return std::move(found->values.front());
    if (!found->comma && depth == 0) return std::nullopt;  // nothing at all
    return PythonLiteral{Kind::sequence, "", std::move(found->values)};
  }

  std::optional<PythonLiteral> sum(int depth) {
    std::optional<PythonLiteral> left = atom(depth);
    while (left && take("+")) {
      std::optional<PythonLiteral> right = atom(depth);
      if (!right || right->kind != left->kind || left->kind == Kind::none) return std::nullopt;
      left->text += right->text;
      std::move(right->elements.begin(), right->elements.end(), std::back_inserter(left->elements));
    }
    return left;
  }

  std::optional<PythonLiteral> atom(int depth) {
    if (at_ == end_ || depth > deepest_literal) return std::nullopt;
    if (at_->kind == PythonToken::Kind::string) return texts();
    if (at_->is_name("None")) {
      ++at_;
      return PythonLiteral{};
    }
    if (take("(")) {
      std::optional<PythonLiteral> value = tuple_or_single(depth + 1);
      return take(")") ? value : std::nullopt;
    }
    const bool set = sees("{");
    if (!take("[") && !take("{")) return std::nullopt;
    std::optional<Items> found = items(depth + 1);
    if (!found || !take(set ? "}" : "]")) return std::nullopt;
    if (set && found->values.empty()) return std::nullopt;  // that is a mapping
    return PythonLiteral{Kind::sequence, "", std::move(found->values)};
  }

  // Strings side by side are one.
  std::optional<PythonLiteral> texts() {
    PythonLiteral literal{Kind::text, "", {}};
    for (; at_ != end_ && at_->kind == PythonToken::Kind::string; ++at_) {
      const std::optional<std::string> text = python_text(at_->text);
      if (!text) return std::nullopt;
      literal.text += *text;
    }
    return literal;
  }

  const PythonToken* at_;
  const PythonToken* end_;
};

}  // namespace

std::optional<std::string> python_text(std::string_view token) {
  const std::size_t quote_at = token.find_first_of("'\"");
  const std::string_view prefix = token.substr(0, quote_at);
  if (prefix.find_first_of("bBfF") != std::string_view::npos) return std::nullopt;
  const bool raw = prefix.find_first_of("rR") != std::string_view::npos;
  token.remove_prefix(quote_at);
  const bool triple = token.size() >= 6 && token[1] == token[0] && token[2] == token[0];
  const std::size_t quotes = triple ? 3 : 1;
  const std::string written = with_plain_line_ends(token.substr(quotes, token.size() - 2 * quotes));
  if (raw) return written;
  std::string text;
  for (std::string_view rest = written; !rest.empty();) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    text += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    rest.remove_prefix(1);
    if (rest.empty() || !append_escape(text, rest)) return std::nullopt;
  }
  return text;
}

std::optional<PythonLiteral> python_literal(const PythonToken* begin, const PythonToken* end) {
  return LiteralReader(begin, end).whole();
}

}  // namespace drydock::alembic
