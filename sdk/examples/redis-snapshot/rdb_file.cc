#include "rdb_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace {

constexpr std::size_t block = 1 << 20;
constexpr std::size_t header = 9;   // "REDIS" and four digits
constexpr std::size_t trailer = 9;  // the end-of-file opcode and the checksum

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error(path + " " + why);
}
[[noreturn]] void refuse_os(const std::string& path, const char* what) {
  refuse(path, std::string("cannot be ") + what + " (" + std::strerror(errno) + ")");
}

struct File {
  File(int opened, std::string named) : fd(opened), path(std::move(named)) {}
  ~File() {
    if (fd >= 0) ::close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  static int open_for_reading(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) refuse_os(path, "opened");
    return fd;
  }
  std::size_t read(char* into, std::size_t size) const {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t n = ::read(fd, into + done, size - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) refuse_os(path, "read");
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }
  void write(const char* from, std::size_t size) const {
    while (size > 0) {
      const ssize_t n = ::write(fd, from, size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) refuse_os(path, "written");
      from += n;
      size -= static_cast<std::size_t>(n);
    }
  }
  int fd;
  std::string path;
};

std::array<std::uint64_t, 256> make_table() {
  constexpr std::uint64_t polynomial = 0x95ac9329ac4bc9b5;  // 0xad93d23594c935a9, reflected
  std::array<std::uint64_t, 256> table{};
  for (std::uint64_t i = 0; i < table.size(); ++i) {
    std::uint64_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ polynomial : crc >> 1;
    table[i] = crc;
  }
  return table;
}

void flush_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), folder);
  if (opened.fd < 0 || ::fsync(opened.fd) != 0) refuse_os(folder, "flushed");
}

// A new file beside `to`, filled by `fill`, which takes its place when it is complete.
void replace_durably(const std::string& to, const Access& access,
                     const std::function<void(const File&)>& fill) {
  std::string fresh = to + ".XXXXXX";
  const File file(::mkostemp(fresh.data(), O_CLOEXEC), fresh);
  if (file.fd < 0) refuse_os(to, "written");
  try {
    fill(file);
    struct stat made {};
    if (::fstat(file.fd, &made) != 0) refuse_os(fresh, "read");
    const bool own = made.st_uid == access.owner && made.st_gid == access.group;
    if (!own && ::fchown(file.fd, access.owner, access.group) != 0) {
      refuse_os(to, ("given to user " + std::to_string(access.owner)).c_str());
    }
    if (::fchmod(file.fd, access.mode) != 0 || ::fsync(file.fd) != 0) refuse_os(to, "flushed");
    if (::rename(fresh.c_str(), to.c_str()) != 0) refuse_os(to, "replaced");
  } catch (...) {
    ::unlink(fresh.c_str());
    throw;
  }
  flush_folder_of(to);
}

}  // namespace

std::string RdbFile::text() const {
  char result[96];
  std::snprintf(result, sizeof result, "%" PRIu64 " bytes, format %d, crc64 %016" PRIx64, bytes,
                format, crc);
  return result;
}

std::uint64_t crc64(std::uint64_t crc, const void* data, std::size_t size) {
  static const std::array<std::uint64_t, 256> table = make_table();
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return crc;
}

RdbFile check_rdb(const std::string& path) {
  const File file(File::open_for_reading(path), path);
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) refuse_os(path, "read");
  RdbFile result;
  result.bytes = static_cast<std::uint64_t>(status.st_size);
  if (result.bytes < header + trailer) refuse(path, "is too short for a snapshot of Redis");

  std::vector<char> buffer(block);
  std::uint64_t computed = 0, left = result.bytes - 8;
  unsigned char last = 0;
  while (left > 0) {
    const std::size_t n = file.read(buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
    if (n == 0) refuse(path, "became shorter while it was read");
    if (left == result.bytes - 8) {
      if (std::memcmp(buffer.data(), "REDIS", 5) != 0) refuse(path, "is no snapshot of Redis");
      result.format = std::atoi(std::string(buffer.data() + 5, 4).c_str());
    }
    computed = crc64(computed, buffer.data(), n);
    last = static_cast<unsigned char>(buffer[n - 1]);
    left -= n;
  }
  unsigned char written[8] = {};
  if (file.read(reinterpret_cast<char*>(written), sizeof written) != sizeof written ||
      last != 0xff) {
    refuse(path, "ends too early: it is cut");
  }
  for (int i = 7; i >= 0; --i) result.crc = result.crc << 8 | written[i];
  if (result.crc != 0 && result.crc != computed) {
    refuse(path, "is damaged: its checksum is not that of its bytes");
  }
  return result;
}

Access access_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) refuse_os(path, "read");
  return {status.st_uid, status.st_gid, status.st_mode & 0777u};
}

void copy_durably(const std::string& from, const std::string& to, const Access& access,
                  const std::function<void(std::uint64_t)>& progress) {
  const File source(File::open_for_reading(from), from);
  replace_durably(to, access, [&](const File& target) {
    std::vector<char> buffer(block);
    std::uint64_t done = 0;
    while (const std::size_t n = source.read(buffer.data(), buffer.size())) {
      target.write(buffer.data(), n);
      progress(done += n);
    }
  });
}

void write_durably(const std::string& text, const std::string& to, const Access& access) {
  replace_durably(to, access, [&](const File& target) { target.write(text.data(), text.size()); });
}

void rename_durably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) refuse_os(from, ("renamed to " + to).c_str());
  flush_folder_of(to);
}
