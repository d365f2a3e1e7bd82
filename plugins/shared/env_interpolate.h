// `$NAME` and `${NAME...}` as Compose substitutes them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "env_file.h"

namespace drydock {

// Of all values of a file that refer to others, together. Compose has no such bound: sixty lines
// that each say the one before twice would take all memory.
constexpr std::size_t largest_interpolated = 64u << 20;

struct Interpolated {
  std::string value;
  std::vector<std::string> unset;    // names that were looked up in vain
  std::optional<std::string> error;  // in Compose's words
};

Interpolated interpolate(std::string_view text, const EnvLookup& lookup);

}  // namespace drydock
