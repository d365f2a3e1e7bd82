#include "journal_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "error.h"

namespace drydock {

// SQLite would create the file with the mode of the umask, and its -wal and -shm files take its
// mode. One that exists is never opened here: closing it would take the locks of every connection
// that this process has to it (POSIX), another process would take the journal for unused, and what
// is written afterwards would be lost.
void create_private_file(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) return;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == EEXIST && ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    return;
  }
  if (fd < 0) {
    throw Error("the journal " + path + " cannot be opened (" + std::strerror(errno) +
                "); check who owns it and whether the disk is writable");
  }
  ::close(fd);
}

}  // namespace drydock
