#include "plugin_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "digest.h"
#include "error.h"

namespace drydock {

// Not blocking: a named pipe in its place must not hold us.
PluginFile::PluginFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) {
    throw Error(path + " cannot be read (" + std::strerror(errno) +
                "); check that it exists and who may read it");
  }
  identity_ = identity_of(path, status);
}

std::variant<PluginNote, NoPluginNote> PluginFile::note() const { return read_plugin_note(file_); }

std::string PluginFile::sha256() const {
  Sha256 digest;
  std::array<char, 65536> buffer{};
  off_t at = 0;
  for (;;) {
    const ssize_t got = ::pread(file_.get(), buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw Error(path_ + " cannot be read (" + std::strerror(errno) + "); check the disk");
    }
    if (got == 0) break;
    digest.update({buffer.data(), static_cast<std::size_t>(got)});
    at += got;
  }
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0 || identity_of(path_, status) != identity_) {
    throw Error(path_ + " was changed while it was read; look who changes it, and begin again");
  }
  return digest.finish_hex();
}

}  // namespace drydock
