// `$NAME` and `${NAME...}` as Compose substitutes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "env_file.h"

namespace drydock {

struct Interpolated {
  std::string value;
  std::vector<std::string> unset;    // names that were looked up in vain
  std::optional<std::string> error;  // in Compose's words
};

Interpolated interpolate(std::string_view text, const EnvLookup& lookup);

}  // namespace drydock
