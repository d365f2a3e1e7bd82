// Literals of Python source as values: texts, None, and tuples, lists and sets of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "python_source.h"

namespace drydock::alembic {

struct PythonLiteral {
  enum class Kind { none, text, sequence };
  Kind kind = Kind::none;
  std::string text;                     // UTF-8 as far as the source is
  std::vector<PythonLiteral> elements;  // of a sequence
};

// The text that a string token stands for. nullopt: bytes, an f-string, or an escape that names a
// character (\N{...}).
std::optional<std::string> python_text(std::string_view token);

// The value of an expression made of nothing but literals: also several strings side by side, "+"
// between two texts or two sequences, and brackets around anything. nullopt: it is something else.
// begin, end: the tokens of the expression.
std::optional<PythonLiteral> python_literal(const PythonToken* begin, const PythonToken* end);

}  // namespace drydock::alembic
