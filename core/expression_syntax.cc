#include "expression_syntax.h"

#include <utility>

#include "error.h"
#include "text.h"
#include "yaml_tree.h"

namespace drydock {
namespace {

constexpr std::string_view opening = "${{";
constexpr std::string_view closing = "}}";
constexpr int most_nested = 64;  // brackets and '!' within one another

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// either    := both ( "||" both )*
// both      := equality ( "&&" equality )*
// equality  := otherwise ( ( "==" | "!=" ) otherwise )?
// otherwise := unary ( "??" unary )*
// unary     := "!" unary | "(" either ")" | literal | name
class Parser {
 public:
  Parser(const std::string& text, std::size_t at, const Place& place)
      : text_(text), at_(at), place_(place) {}

  ExpressionNode expression() { return either(); }
  std::size_t position() const { return at_; }
  bool take(std::string_view token) {
    skip_blanks();
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  [[noreturn]] void refuse(const std::string& allowed) {
    skip_blanks();
    const std::string found = at_ == text_.size()
                                  ? "the end"
                                  : "'" + make_visible(shorten(text_.substr(at_, 80), 20)) + "'";
    throw Error(place_.text() + ": found " + found + " in the expression '" +
                make_visible(shorten(text_, 60)) + "', allowed: " + allowed + ".");
  }

 private:
  using Kind = ExpressionNode::Kind;

  // All operands of a chain in one node: the tree is as deep as the brackets, not as the chain.
  template <class Next>
  ExpressionNode chain(Kind kind, std::string_view token, Next next) {
    ExpressionNode first = next();
    if (!take(token)) return first;
    ExpressionNode result;
    result.kind = kind;
    result.operands.push_back(std::move(first));
    do {
      result.operands.push_back(next());
    } while (take(token));
    return result;
  }
  ExpressionNode either() {
    if (++depth_ > most_nested)
      refuse("at most " + std::to_string(most_nested) + " brackets in one another");
    ExpressionNode result = chain(Kind::either, "||", [this] { return both(); });
    --depth_;
    return result;
  }
  ExpressionNode both() {
    return chain(Kind::both, "&&", [this] { return equality(); });
  }
  ExpressionNode equality() {
    ExpressionNode left = otherwise();
    const bool equal = take("==");
    if (!equal && !take("!=")) return left;
    ExpressionNode result;
    result.kind = equal ? Kind::equal : Kind::unequal;
    result.operands.push_back(std::move(left));
    result.operands.push_back(otherwise());
    return result;
  }
  ExpressionNode otherwise() {
    return chain(Kind::otherwise, "??", [this] { return unary(); });
  }
  ExpressionNode unary() {
    skip_blanks();
    if (text_.compare(at_, 2, "!=") != 0 && take("!")) {
      if (++depth_ > most_nested)
        refuse("at most " + std::to_string(most_nested) + " '!' in a row");
      ExpressionNode result;
      result.kind = Kind::negation;
      result.operands.push_back(unary());
      --depth_;
      return result;
    }
    if (take("(")) {
      ExpressionNode inner = either();
      if (!take(")")) refuse("')'");
      return inner;
    }
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '\'' || c == '"') return quoted(c);
    if (is_digit(c) || c == '-') return number();
    if (is_letter(c)) return name();
    refuse("a name such as vars.to, a quoted text, a number, true, false, null, '!' or '('");
  }
  ExpressionNode quoted(char quote) {
    ExpressionNode result;
    std::string value;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        if (i + 1 == text_.size() || text_[i + 1] != quote) {
          at_ = i + 1;
          result.literal = std::move(value);
          return result;
        }
        ++i;  // a doubled quote is one
      }
      value += text_[i];
    }
    refuse(std::string("a closing ") + quote);
  }
  ExpressionNode number() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.')) ++end;
    ExpressionNode result;
    result.literal = plain_value(text_.substr(at_, end - at_));
    if (!result.literal.is_number()) refuse("a number such as 12 or 0.5, or a quoted text");
    at_ = end;
    return result;
  }
  ExpressionNode name() {
    ExpressionNode result;
    for (;;) {
      const std::size_t start = at_;
      while (at_ < text_.size() &&
             (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '-')) {
        ++at_;
      }
      if (start == at_) refuse("a name after the point");
      result.name.push_back(text_.substr(start, at_ - start));
      if (at_ == text_.size() || text_[at_] != '.') break;
      ++at_;
    }
    if (result.name.size() > 1) {
      result.kind = Kind::name;
      return result;
    }
    const std::string& word = result.name.front();
    if (word == "true" || word == "false") {
      result.literal = word == "true";
    } else if (word != "null") {
      at_ -= word.size();
      refuse("a name such as vars.to, or a text in quotes");
    }
    return result;
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  const std::string& text_;
  std::size_t at_;
  const Place& place_;
  int depth_ = 0;
};

}  // namespace

std::vector<TextPart> parse_text(const std::string& text, const Place& place) {
  std::vector<TextPart> parts;
  const auto add_text = [&](std::size_t start, std::size_t end) {
    if (start == end) return;
    TextPart part;
    part.text = text.substr(start, end - start);
    parts.push_back(std::move(part));
  };
  std::size_t done = 0;
  for (;;) {
    const std::size_t start = text.find(opening, done);
    if (start == std::string::npos) break;
    add_text(done, start);
    Parser parser(text, start + opening.size(), place);
    TextPart part;
    part.is_expression = true;
    part.expression = parser.expression();
    if (!parser.take(closing)) parser.refuse("'}}' or an operator: == != && || ??");
    parts.push_back(std::move(part));
    done = parser.position();
  }
  add_text(done, text.size());
  return parts;
}

ExpressionNode parse_condition(const std::string& text, const Place& place) {
  if (text.find(opening) != std::string::npos) {
    std::vector<TextPart> parts = parse_text(text, place);
    if (parts.size() == 1) return std::move(parts.front().expression);
    throw Error(place.text() + ": found text around ${{ }} in the condition '" +
                make_visible(shorten(text, 60)) + "', allowed: one expression.");
  }
  Parser parser(text, 0, place);
  ExpressionNode expression = parser.expression();
  if (!parser.at_end()) parser.refuse("an operator: == != && || ??");
  return expression;
}

}  // namespace drydock
