// Copies of files and folders that keep mode, owner and time.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "file_store.h"

namespace drydock::files {
namespace fs = std::filesystem;
namespace {

struct stat look_at(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw_file_error("read", path);
  return status;
}

// Without root a copy belongs to whoever makes it: only root may give files away.
Attributes attributes_for_copy(const struct stat& status) {
  Attributes result{status.st_mode & 07777};
  if (::geteuid() == 0) {
    result.uid = status.st_uid;
    result.gid = status.st_gid;
  }
  return result;
}

void copy_bytes(int from, const std::string& name, Replacement& to) {
  std::array<char, 128 * 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error("read", name);
    if (got == 0) return;
    to.write({buffer.data(), static_cast<std::size_t>(got)});
  }
}

// Open for reading.
class RegularFile {
 public:
  explicit RegularFile(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) throw_file_error("read", path);
    if (::fstat(fd_, &status_) == 0 && S_ISREG(status_.st_mode)) return;
    ::close(fd_);
    throw FileError("cannot copy " + path + ": it is no regular file");
  }
  ~RegularFile() { ::close(fd_); }
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  int descriptor() const { return fd_; }
  const struct stat& status() const { return status_; }

 private:
  int fd_;
  struct stat status_ {};
};

void copy_link(const std::string& from, const std::string& to, const struct stat& status) {
  const fs::path target = fs::read_symlink(from);
  std::error_code error;
  if (fs::read_symlink(to, error) == target && !error) return;
  if (::unlink(to.c_str()) != 0 && errno != ENOENT) throw_file_error("replace", to);
  if (::symlink(target.c_str(), to.c_str()) != 0) throw_file_error("create", to);
  if (::geteuid() == 0 && ::lchown(to.c_str(), status.st_uid, status.st_gid) != 0) {
    throw_file_error("keep the owner of", to);
  }
}

class TreeCopy {
 public:
  explicit TreeCopy(const std::function<bool(const std::string&)>& skip) : skip_(skip) {}

  void copy(const std::string& from, const std::string& to, const std::string& relative) {
    const struct stat status = look_at(from);
    if (S_ISLNK(status.st_mode)) {
      copy_link(from, to, status);
    } else if (S_ISREG(status.st_mode)) {
      copy_file(from, to);
    } else if (S_ISDIR(status.st_mode)) {
      copy_folder(from, to, relative, status);
    } else {
      left_out_.push_back(relative);
    }
  }
  std::vector<std::string> left_out() && { return std::move(left_out_); }

 private:
  void copy_folder(const std::string& from, const std::string& to, const std::string& relative,
                   const struct stat& status) {
    // Closed to others, and to be written into, until its content is complete.
    if (::mkdir(to.c_str(), 0700) != 0 && errno != EEXIST) throw_file_error("create", to);
    for (const std::string& name : names_in(from)) {
      const std::string below = relative.empty() ? name : relative + "/" + name;
      if (!skip_ || !skip_(below)) copy(from + "/" + name, to + "/" + name, below);
    }
    const Attributes wanted = attributes_for_copy(status);
    if (::chown(to.c_str(), wanted.uid, wanted.gid) != 0) throw_file_error("keep the owner of", to);
    if (::chmod(to.c_str(), wanted.mode) != 0) throw_file_error("keep the mode of", to);
    const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
    if (::utimensat(AT_FDCWD, to.c_str(), times.data(), 0) != 0)
      throw_file_error("keep the time of", to);
    sync_directory(to);
  }

  const std::function<bool(const std::string&)>& skip_;
  std::vector<std::string> left_out_;
};

}  // namespace

void append(const std::string& from, Replacement& to) {
  const RegularFile file(from);
  copy_bytes(file.descriptor(), from, to);
}

std::unique_ptr<Replacement> copy_of_file(const std::string& from, const std::string& to) {
  const RegularFile file(from);
  auto copy = std::make_unique<Replacement>(to);
  copy_bytes(file.descriptor(), from, *copy);
  copy->set(attributes_for_copy(file.status()));
  copy->set_modified(file.status().st_mtim);
  copy->set_extended_from(from);
  return copy;
}

void copy_file(const std::string& from, const std::string& to) { copy_of_file(from, to)->commit(); }

std::vector<std::string> copy_tree(const std::string& from, const std::string& to,
                                   const std::function<bool(const std::string&)>& skip) {
  TreeCopy tree(skip);
  tree.copy(from, to, "");
  const std::string folder = fs::path(to).parent_path().string();
  sync_directory(folder.empty() ? "." : folder);
  return std::move(tree).left_out();
}

std::vector<std::string> make_directories(const std::string& path, mode_t mode) {
  std::vector<std::string> made;
  if (path.empty() || path == "/" || fs::is_directory(path)) return made;
  const std::string above = fs::path(path).parent_path().string();
  made = make_directories(above, mode);
  if (::mkdir(path.c_str(), mode) != 0) {
    if (errno == EEXIST && fs::is_directory(path)) return made;
    throw_file_error("create the folder", path);
  }
  // Whatever the umask is.
  if (::chmod(path.c_str(), mode) != 0) throw_file_error("set the mode of", path);
  sync_directory(above.empty() ? "." : above);
  made.push_back(path);
  return made;
}

}  // namespace drydock::files
