// Redis's snapshot files: proven by the checksum that they end with, and copied so that a kill
// leaves the old file or the new one. Errors are std::runtime_error with the place and the reason.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

struct RdbFile {
  std::uint64_t bytes = 0;
  int format = 0;         // of the RDB, as in its header
  std::uint64_t crc = 0;  // 0: the server was told to write none (rdbchecksum no)
  std::string text()
      const;  // "1234 bytes, format 10, crc64 0123456789abcdef": equal for equal files
};

// CRC-64 of Redis (Jones, reflected), continued from `crc`.
std::uint64_t crc64(std::uint64_t crc, const void* data, std::size_t size);

// Reads it to its end. Throws when it is cut, damaged, or no RDB.
RdbFile check_rdb(const std::string& path);

// Who may read and write a file that is put where a server looks.
struct Access {
  unsigned owner, group, mode;
};
// Of the file or folder itself.
Access access_of(const std::string& path);

// Into a new file beside `to`, flushed and renamed. `progress` is called with the bytes that are
// done, and may throw to stop.
void copy_durably(const std::string& from, const std::string& to, const Access& access,
                  const std::function<void(std::uint64_t)>& progress);
void write_durably(const std::string& text, const std::string& to, const Access& access);
void rename_durably(const std::string& from, const std::string& to);
