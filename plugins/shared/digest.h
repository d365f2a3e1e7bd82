// SHA-256. A library of its own, because loading libcrypto costs each step about a millisecond.
#pragma once

#include <string>
#include <string_view>

namespace drydock {

// In lower-case hexadecimal. Throws std::runtime_error when the file cannot be read.
std::string sha256(std::string_view bytes);
std::string sha256_file(const std::string& path);

}  // namespace drydock
