// Reading a tar stream, as `docker cp` writes one: POSIX headers (ustar), with the extensions of
// pax and GNU for long names. Nothing of it is written anywhere, so no name in it can reach out of
// a folder. Our own reader, since a library for archives brings every other format and its filters
// along, and a `tar` would have to unpack foreign names onto the disk first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::alembic {

struct TarEntry {
  enum class Kind { file, folder, link, other };
  Kind kind = Kind::file;
  std::string name;          // as written, without a "/" at its end
  std::string_view content;  // of a file; points into the stream
};

// All entries in their order. Throws Unreadable when the stream is cut off or no tar.
std::vector<TarEntry> read_tar(std::string_view stream);

}  // namespace drydock::alembic
