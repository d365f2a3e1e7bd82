// Sizes for people.
#pragma once

#include <cstdint>
#include <string>

namespace drydock {

// "1.5 GiB", "300 MiB".
inline std::string size_words(std::int64_t bytes) {
  if (bytes < (std::int64_t{1} << 30))
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
  const std::int64_t tenths = ((bytes >> 20) * 10 + 512) >> 10;  // somebody may have an exbibyte
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

}  // namespace drydock
