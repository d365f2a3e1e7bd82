#include "temporary_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "error.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr const char* prefix = "drydock-";
constexpr const char* lock_name = "/.drydock-lock";

std::string base() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/' && ::access(runtime, W_OK | X_OK) == 0) return runtime;
  return "/var/tmp";
}

}  // namespace

TemporaryDir::TemporaryDir() {
  path_ = base() + "/" + prefix + "XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    throw Error("no private folder can be made in " + base() + " (" + std::strerror(errno) +
                "); free some space there or set XDG_RUNTIME_DIR");
  }
  lock_ = ::open((path_ + lock_name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (lock_ >= 0) ::flock(lock_, LOCK_EX);
}

TemporaryDir::~TemporaryDir() {
  std::error_code error;
  fs::remove_all(path_, error);
  if (lock_ >= 0) ::close(lock_);
}

void TemporaryDir::remove_abandoned() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(base(), error)) {
    const std::string path = entry.path().string();
    struct stat status {};
    if (entry.path().filename().string().rfind(prefix, 0) != 0 ||
        ::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != ::geteuid()) {
      continue;
    }
    // Without the lock's file it is somebody else's, or was made a moment ago.
    const int lock = ::open((path + lock_name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0) continue;
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), error);
    ::close(lock);
  }
}

}  // namespace drydock
