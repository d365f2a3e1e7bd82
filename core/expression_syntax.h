// The syntax of ${{ ... }}, without meaning: a text becomes parts, an expression becomes a tree.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "place.h"

namespace drydock {

struct ExpressionNode {
  enum class Kind { literal, name, negation, equal, unequal, both, either, otherwise };
  Kind kind = Kind::literal;
  nlohmann::json literal;
  std::vector<std::string> name;  // "stages", "build", "outputs", "tag"
  std::vector<ExpressionNode> operands;
};

struct TextPart {
  std::string text;  // used when there is no expression
  bool is_expression = false;
  ExpressionNode expression;
};

// Both throw Error with the place when the syntax is wrong.
std::vector<TextPart> parse_text(const std::string& text, const Place& place);
// A condition: an expression with or without ${{ }} around all of it.
ExpressionNode parse_condition(const std::string& text, const Place& place);

}  // namespace drydock
