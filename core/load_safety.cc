#include "load_safety.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace drydock {

std::string unsafe(const std::string& path, const struct stat& status) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return path + " belongs to user " + std::to_string(status.st_uid) +
           ", who could change what Drydock executes: give it to yourself or to root with chown.";
  }
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_IWOTH) != 0 &&
      (status.st_mode & S_ISVTX) != 0) {
    return path +
           " is a folder that everybody shares, who could change what Drydock executes: use "
           "one of your own.";
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return path + " is writable by everybody, who could change what Drydock executes: chmod o-w " +
           path + ".";
  }
  return "";
}

std::string unsafe_above(const std::string& path) {
  for (std::size_t end = path.rfind('/'); end != std::string::npos && !path.empty();
       end = end == 0 ? std::string::npos : path.rfind('/', end - 1)) {
    const std::string folder = end == 0 ? "/" : path.substr(0, end);
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) {
      return folder + " cannot be looked at: " + std::strerror(errno) + ".";
    }
    if ((status.st_mode & S_ISVTX) != 0) status.st_mode &= ~static_cast<mode_t>(S_IWOTH);
    if (std::string problem = unsafe(folder, status); !problem.empty()) return problem;
  }
  return "";
}

std::string unsafe_to_load(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  struct stat status {};
  if (!real || ::stat(real.get(), &status) != 0) {
    return path + " cannot be read: " + std::strerror(errno) + ".";
  }
  const std::string problem = unsafe(real.get(), status);
  return problem.empty() ? unsafe_above(real.get()) : problem;
}

}  // namespace drydock
