// The characters of `.env` files, as Go and compose-go class them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace drydock::env_characters {

constexpr char32_t invalid = 0xfffd;

struct Character {
  char32_t value;
  std::size_t size;  // bytes; 1 for a byte that is no UTF-8
};
// The first character of a text that is not empty.
Character decode(std::string_view text);
// Of the basic multilingual plane.
std::string encode(char32_t c);

// Blanks within a line. compose-go's isSpace.
bool is_blank(char32_t c);
// Go's unicode.IsSpace: the blanks, line ends and wide spaces.
bool is_space(char32_t c);
// Letters and numbers of any language, and _ . - [ ]
bool is_key_character(char32_t c);

// Without the spaces at its end.
std::string_view trim_end(std::string_view text);

// As Go's %q: in double quotes, with what cannot be seen made visible.
std::string quoted(std::string_view text);

}  // namespace drydock::env_characters
