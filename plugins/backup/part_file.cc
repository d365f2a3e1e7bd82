#include "part_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <drydock/stage.hpp>

#include "digest.h"
#include "file_store.h"

namespace drydock::backup {

PartFile::~PartFile() {
  if (!kept_) ::unlink(path_.c_str());
}

void PartFile::sync() const {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  // So that reading it back asks the disk, as far as the system lets go of what it has in memory.
  if (synced) ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  if (fd >= 0) ::close(fd);
  if (!synced) throw Failed(name_ + " cannot be written: " + std::strerror(error));
}

void PartFile::check_on_disk(const std::string& sha256) const {
  sync();
  const std::string found = sha256_file(path_);
  if (found == sha256) return;
  throw Failed(name_ + " does not come back from the disk as it was written: its SHA-256 is " +
               found + ", written was " + sha256 + "; check the disk");
}

void PartFile::keep() {
  sync();
  // Nobody else writes into the private folder, so that the question before needs no lock.
  if (::access(name_.c_str(), F_OK) == 0) throw Failed(name_ + " exists already");
  if (::rename(path_.c_str(), name_.c_str()) != 0) {
    throw Failed(name_ + " cannot be written: " + std::strerror(errno));
  }
  kept_ = true;
  files::sync_directory(name_.substr(0, name_.rfind('/')));
}

}  // namespace drydock::backup
