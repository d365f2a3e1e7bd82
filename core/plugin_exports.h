// Which symbols a plugin file offers to others, read from its ELF file without executing anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// Sorted names of the symbols that the bytes of an ELF file define for others; nullopt: its tables
// cannot be read. Nothing in the file is trusted.
std::optional<std::vector<std::string>> exported_symbols(std::string_view file);

}  // namespace drydock
