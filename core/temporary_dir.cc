#include "temporary_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "error.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr const char* prefix = "drydock-";
constexpr const char* lock_name = "/.drydock-lock";

constexpr const char* otherwise = "/var/tmp";

std::string base(std::size_t longest) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool fits = runtime != nullptr && *runtime == '/' &&
                    std::strlen(runtime) + 1 + std::strlen(prefix) + 6 <= longest;
  if (fits && ::access(runtime, W_OK | X_OK) == 0) return runtime;
  return otherwise;
}

// The lock goes last: killed before that, the rest is still known to be somebody's who is gone.
void remove_whole(const std::string& path) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    if ("/" + entry.path().filename().string() != lock_name) fs::remove_all(entry.path(), error);
  }
  fs::remove_all(path, error);
}

void remove_abandoned_in(const std::string& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
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
    if (::flock(lock, LOCK_EX | LOCK_NB) == 0) remove_whole(path);
    ::close(lock);
  }
}

}  // namespace

TemporaryDir::TemporaryDir(std::size_t longest) {
  const std::string folder = base(longest);
  path_ = folder + "/" + prefix + "XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    throw Error("no private folder can be made in " + folder + " (" + std::strerror(errno) +
                "); free some space there or set XDG_RUNTIME_DIR");
  }
  // Held before it has its name: who finds an unheld one removes the folder.
  const std::string unnamed = path_ + "/.lock";
  lock_ = ::open(unnamed.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (lock_ < 0) return;
  ::flock(lock_, LOCK_EX);
  ::rename(unnamed.c_str(), (path_ + lock_name).c_str());
}

TemporaryDir::~TemporaryDir() {
  remove_whole(path_);
  if (lock_ >= 0) ::close(lock_);
}

void TemporaryDir::remove_abandoned() {
  const std::string folder = base(PATH_MAX);
  remove_abandoned_in(folder);
  if (folder != otherwise) remove_abandoned_in(otherwise);
}

}  // namespace drydock
