// A private folder for what a plan makes: merged env files, resolved models. It holds secrets, so
// it is gone when its process ends, and when that was killed, when the next Drydock starts.
#pragma once

#include <string>

namespace drydock {

class TemporaryDir {
 public:
  // 0700, with a name that nobody can guess, in $XDG_RUNTIME_DIR or, where that is absent or its
  // path would be longer than `longest`, in /var/tmp. Throws Error.
  explicit TemporaryDir(std::size_t longest = 4096);
  ~TemporaryDir();
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;

  const std::string& path() const { return path_; }

  // Removes those of this user whose process was killed.
  static void remove_abandoned();

 private:
  std::string path_;
  int lock_ = -1;  // held as long as this lives: how others know that it is in use
};

}  // namespace drydock
