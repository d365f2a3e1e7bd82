#include "file_store.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "extended_attributes.h"

namespace drydock::files {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view temporary_mark = ".drydock-";
constexpr std::size_t random_digits = 16;
constexpr int most_links = 40;  // as the kernel has it

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// So that the name of a temporary file is not too long.
std::string shortened(const std::string& name) { return name.substr(0, 200); }

// What the names of temporary files for `path` begin with: unmistakably ours, and hidden.
std::string temporary_prefix(const std::string& path) {
  return "." + shortened(fs::path(path).filename().string()) + std::string(temporary_mark);
}

std::string random_name() {
  std::array<unsigned char, random_digits / 2> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw FileError("the system gives no random bytes for the name of a temporary file");
  }
  std::string name;
  for (const unsigned char byte : bytes) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", byte);
    name += digits.data();
  }
  return name;
}

std::string temporary_for(const std::string& path) {
  return (fs::path(folder_of(path)) / (temporary_prefix(path) + random_name())).string();
}

// The file that a temporary one in its folder was for, as far as it is in the name; "" for another
// kind of file.
std::string meant_by(const std::string& temporary) {
  const std::size_t end = random_digits + temporary_mark.size();
  if (temporary.size() <= end + 1 || temporary[0] != '.') return "";
  const std::size_t mark = temporary.size() - end;
  if (temporary.compare(mark, temporary_mark.size(), temporary_mark) != 0) return "";
  if (temporary.find_first_not_of("0123456789abcdef", mark + temporary_mark.size()) !=
      std::string::npos) {
    return "";
  }
  return temporary.substr(1, mark - 1);
}

// names: of files, as temporary_prefix() has them.
void remove_leftovers_in(const std::string& folder, const std::set<std::string>& names) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (names.count(meant_by(at->path().filename().string())) == 0) continue;
    if (::unlink(at->path().c_str()) != 0 && errno != ENOENT)
      throw_file_error("remove", at->path().string());
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return fd_; }

 private:
  int fd_;
};

// O_NONBLOCK: opening a pipe that nobody writes to must not hang.
std::string read_open(int fd, const std::string& path, std::size_t limit) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_file_error("read", path);
  if (!S_ISREG(status.st_mode)) {
    throw FileError("cannot read " + path + ": it is " +
                    (S_ISDIR(status.st_mode) ? "a folder" : "no regular file"));
  }
  std::string bytes(std::min(limit, static_cast<std::size_t>(status.st_size)) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error("read", path);
    size += static_cast<std::size_t>(got);
    if (size > limit) {
      throw FileError("cannot read " + path + ": it has more than the " + std::to_string(limit) +
                      " bytes that are read at most");
    }
    if (got == 0) break;
    if (size == bytes.size()) bytes.resize(std::min(limit + 1, 2 * size));
  }
  bytes.resize(size);
  return bytes;
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_file_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void throw_file_error(const std::string& doing, const std::string& path, int error) {
  throw FileError("cannot " + doing + " " + path + ": " + std::strerror(error));
}

std::string read(const std::string& path, std::size_t limit) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd < 0) throw_file_error("read", path);
  return read_open(fd, path, limit);
}

std::optional<std::string> read_if_present(const std::string& path, std::size_t limit) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (fd < 0) throw_file_error("read", path);
  return read_open(fd, path, limit);
}

std::vector<std::string> names_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) throw_file_error("read the folder", folder, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Attributes> attributes(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    return Attributes{status.st_mode & 07777, status.st_uid, status.st_gid};
  }
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw_file_error("look at", path);
}

std::string resolve_links(const std::string& path) {
  fs::path at = path;
  for (int links = 0; links < most_links; ++links) {
    std::error_code error;
    const fs::path target = fs::read_symlink(at, error);
    if (error) return at.string();
    at = target.is_absolute() ? target : at.parent_path() / target;
  }
  throw_file_error("follow the links of", path, ELOOP);
}

Replacement::Replacement(const std::string& path) : path_(resolve_links(path)) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      throw FileError("cannot replace " + path_ + ": it is " +
                      (S_ISDIR(status.st_mode) ? "a folder" : "no regular file"));
    }
    attributes_ = {status.st_mode & 07777, status.st_uid, status.st_gid};
    is_there_ = true;
  } else if (errno != ENOENT) {
    throw_file_error("replace", path_);
  }
  temporary_ = temporary_for(path_);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) throw_file_error("write beside", path_);
}

Replacement::~Replacement() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void Replacement::write(std::string_view bytes) { write_all(fd_, bytes, path_); }

void Replacement::prepare() {
  struct stat made {};
  if (::fstat(fd_, &made) != 0) throw_file_error("write", path_);
  const auto none = static_cast<uid_t>(-1);
  const bool other_owner = (attributes_.uid != none && attributes_.uid != made.st_uid) ||
                           (attributes_.gid != none && attributes_.gid != made.st_gid);
  if (other_owner && ::fchown(fd_, attributes_.uid, attributes_.gid) != 0) {
    throw FileError("cannot keep the owner " + std::to_string(attributes_.uid) + ":" +
                    std::to_string(attributes_.gid) + " of " + path_ + ": " + std::strerror(errno) +
                    "; run as that user or as root");
  }
  const bool given =
      !extended_from_.empty() && keep_extended_attributes(extended_from_, fd_, path_);
  if (!given && is_there_) keep_extended_attributes(path_, fd_, path_);
  if (::fchmod(fd_, attributes_.mode) != 0) throw_file_error("set the mode of", path_);
  if (modified_) {
    const std::array<timespec, 2> times{*modified_, *modified_};
    if (::futimens(fd_, times.data()) != 0) throw_file_error("set the time of", path_);
  }
}

void Replacement::close_file() {
  if (fd_ >= 0 && ::close(std::exchange(fd_, -1)) != 0) throw_file_error("write", path_);
}

void Replacement::take_name(bool replace) {
  close_file();
  const unsigned flags = replace ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
    throw_file_error(replace ? "replace" : "create", path_);
  }
  temporary_.clear();
}

void Replacement::finish(bool replace) {
  prepare();
  if (::fsync(fd_) != 0) throw_file_error("write", path_);
  take_name(replace);
}

void Replacement::commit() {
  finish(true);
  sync_directory(folder_of(path_));
}

void Replacement::commit_new() {
  finish(false);
  sync_directory(folder_of(path_));
}

// A file system is written out as a whole, which may have more to write than these files: for a few
// of them it is not worth it.
void Replacements::add(std::unique_ptr<Replacement> replacement) {
  constexpr std::size_t few = 16;
  replacement->prepare();
  waiting_.push_back(std::move(replacement));
  if (waiting_.size() <= few) return;
  for (const auto& each : waiting_) each->close_file();  // or nobody could open any more
}

void Replacements::commit() {
  std::set<std::string> folders;
  std::set<dev_t> written;
  for (const auto& replacement : waiting_) {
    if (replacement->fd_ >= 0 && ::fsync(replacement->fd_) != 0) {
      throw_file_error("write", replacement->path_);
    }
    const std::string folder = folder_of(replacement->path_);
    if (!folders.insert(folder).second || replacement->fd_ >= 0) continue;
    const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) throw_file_error("open", folder);
    if (written.insert(status.st_dev).second && ::syncfs(fd) != 0) throw_file_error("sync", folder);
  }
  for (const auto& replacement : waiting_) replacement->take_name(true);
  waiting_.clear();
  for (const std::string& folder : folders) sync_directory(folder);
}

void write(const std::string& path, std::string_view bytes) {
  Replacement replacement(path);
  replacement.write(bytes);
  replacement.commit();
}

void write_planned(const std::string& path, std::string_view bytes) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_file_error("replace", path);
  const Descriptor fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd < 0) throw_file_error("create", path);
  write_all(fd, bytes, path);
}

std::unique_ptr<Replacement> replacement(const std::string& path, std::string_view bytes) {
  auto file = std::make_unique<Replacement>(path);
  file->write(bytes);
  return file;
}

void write(const std::string& path, std::string_view bytes, const Attributes& exactly) {
  Replacement replacement(path);
  replacement.set(exactly);
  replacement.write(bytes);
  replacement.commit();
}

void replace_link(const std::string& path, const std::string& target, const Attributes& owner) {
  // A link cannot be written in place: a new one is renamed. symlink() never takes a name that is
  // there already.
  const std::string temporary = temporary_for(path);
  if (::symlink(target.c_str(), temporary.c_str()) != 0) throw_file_error("write beside", path);
  const auto none = static_cast<uid_t>(-1);
  const bool given = owner.uid != none || owner.gid != none;
  if ((given && ::lchown(temporary.c_str(), owner.uid, owner.gid) != 0) ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw_file_error("replace", path, error);
  }
  sync_directory(folder_of(path));
}

void remove_leftovers(const std::string& path) { remove_leftovers(std::vector{path}); }

void remove_leftovers(const std::vector<std::string>& paths) {
  std::map<std::string, std::set<std::string>> folders;
  const auto add = [&folders](const std::string& path) {
    folders[folder_of(path)].insert(shortened(fs::path(path).filename().string()));
  };
  for (const std::string& path : paths) {
    add(resolve_links(path));
    add(path);  // of a link that was replaced itself
  }
  for (const auto& [folder, names] : folders) remove_leftovers_in(folder, names);
}

void sync_directory(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd < 0) throw_file_error("open", path);
  // Some file systems (FUSE, SMB) have no fsync of folders and say EINVAL.
  if (::fsync(fd) != 0 && errno != EINVAL) throw_file_error("sync", path);
}

bool same_content(const std::string& left, const std::string& right) {
  const Descriptor a(::open(left.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (a < 0) throw_file_error("read", left);
  const Descriptor b(::open(right.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (b < 0) throw_file_error("read", right);
  struct stat status_a {
  }, status_b{};
  if (::fstat(a, &status_a) != 0) throw_file_error("read", left);
  if (::fstat(b, &status_b) != 0) throw_file_error("read", right);
  if (status_a.st_size != status_b.st_size) return false;
  std::array<char, 64 * 1024> bytes_a{}, bytes_b{};
  const auto fill = [](int fd, auto& bytes, const std::string& path) {
    std::size_t size = 0;
    while (size < bytes.size()) {
      const ssize_t got = ::read(fd, bytes.data() + size, bytes.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_file_error("read", path);
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    return size;
  };
  for (;;) {
    const std::size_t size = fill(a, bytes_a, left);
    if (size != fill(b, bytes_b, right)) return false;
    if (std::memcmp(bytes_a.data(), bytes_b.data(), size) != 0) return false;
    if (size < bytes_a.size()) return true;
  }
}

}  // namespace drydock::files
