// Files of the runner: read bounded, written so that a kill leaves the old or the new content.
#pragma once

#include <cstddef>
#include <string>

namespace drydock {

// Throws Error: missing, a folder, larger than `limit` bytes, unreadable.
std::string read_file(const std::string& path, std::size_t limit);
// A new file of mode 0600 in the same folder, fsync, rename, fsync of the folder. Throws Error.
void write_file_atomically(const std::string& path, const std::string& bytes);

// In hexadecimal. Throws Error.
std::string sha256_of_file(const std::string& path);

}  // namespace drydock
