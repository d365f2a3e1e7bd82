// Files of a deployment and of a stage's private folder: read, replace in one step, copy.
//
// Every function throws FileError, whose text names the file and what the system said.
#pragma once

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::files {

struct FileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// "cannot DOING PATH: " and what the system says of `error`.
[[noreturn]] void throw_file_error(const std::string& doing, const std::string& path,
                                   int error = errno);

// Whose a file is and who may use it.
struct Attributes {
  mode_t mode = 0600;                  // permission bits only
  uid_t uid = static_cast<uid_t>(-1);  // -1: whoever creates it
  gid_t gid = static_cast<gid_t>(-1);
  friend bool operator==(const Attributes&, const Attributes&) = default;
};

constexpr std::size_t small_file = 256 * 1024 * 1024;

// The whole file. Refuses directories and special files, and more than `limit` bytes.
std::string read(const std::string& path, std::size_t limit = small_file);
// The same; nullopt when nothing of that name exists (a dangling link counts as nothing).
std::optional<std::string> read_if_present(const std::string& path, std::size_t limit = small_file);

// The names in a folder, in their order.
std::vector<std::string> names_in(const std::string& folder);

// Mode and owner of the file that `path` leads to; nullopt when there is none.
std::optional<Attributes> attributes(const std::string& path);

// Where `path` leads through symlinks, also when the last one leads to nothing yet.
std::string resolve_links(const std::string& path);

// New content of one file, that nobody sees before commit(): a temporary file with a random name
// beside the file, then rename. Whoever opens the file reads the old content or the new one, after
// a power loss too. A symlink stays: the file that it leads to is replaced. The existing file's
// mode, owner and access control list are kept; a new file is 0600, unless set() says otherwise.
class Replacement {
 public:
  explicit Replacement(const std::string& path);
  ~Replacement();  // removes the temporary file, unless committed
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(std::string_view bytes);
  void set(const Attributes& attributes) { attributes_ = attributes; }
  void set_modified(const timespec& time) { modified_ = time; }
  // Access control lists and the like: where this file has any, those, else the existing one's.
  void set_extended_from(const std::string& path) { extended_from_ = path; }
  // fsync, rename, fsync of the folder.
  void commit();
  // Like commit(), but fails with FileError when a file of that name exists already.
  void commit_new();
  int descriptor() const { return fd_; }

 private:
  friend class Replacements;
  void finish(bool replace);
  void prepare();  // owner, mode and time
  void close_file();
  void take_name(bool replace);

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
  Attributes attributes_;
  std::optional<timespec> modified_;
  std::string extended_from_;
  bool is_there_ = false;
};

// What write() would put at `path`, not there yet.
std::unique_ptr<Replacement> replacement(const std::string& path, std::string_view bytes);

// Many files in little more time than one: their bytes go to the disk together, before the first of
// them gets its name.
class Replacements {
 public:
  void add(std::unique_ptr<Replacement> replacement);
  // On disk when it returns, each under its name. What was not committed is removed.
  void commit();

 private:
  std::vector<std::unique_ptr<Replacement>> waiting_;
};

// Replaces the whole content of `path`, as Replacement does.
void write(const std::string& path, std::string_view bytes);
void write(const std::string& path, std::string_view bytes, const Attributes& exactly);

// A file of the planned dir, 0600, in place of what has that name. Nothing of that folder outlives
// the process that plans, so nothing is made durable.
void write_planned(const std::string& path, std::string_view bytes);

// Puts a symbolic link where something else may stand, but no folder. Of `owner` only that counts:
// a link has no mode.
void replace_link(const std::string& path, const std::string& target, const Attributes& owner = {});

// Removes what a killed Replacement of `path`, or of the link there, left beside it. Call it
// wherever a step is repeated or rolled back: not only the runner dies, also a worker alone.
void remove_leftovers(const std::string& path);

// The same of many, which looks into each folder once.
void remove_leftovers(const std::vector<std::string>& paths);

// Writes the bytes of the file `from`, however many, to what is already in `to`.
void append(const std::string& from, Replacement& to);
// What copy_file() would put at `to`, not there yet.
std::unique_ptr<Replacement> copy_of_file(const std::string& from, const std::string& to);
// Copies a regular file with mode, owner (as far as permitted), modification time and access
// control list.
void copy_file(const std::string& from, const std::string& to);

// Copies a file, a symlink (as a link) or a whole folder, with modes, owners (as far as permitted)
// and modification times; everything is on disk when it returns. `to` may exist; what is in it
// already stays, unless it has the same name. `skip` is asked with each path relative to `from`.
// Returns the paths of what cannot be copied (sockets, pipes, devices), relative to `from`.
std::vector<std::string> copy_tree(
    const std::string& from, const std::string& to,
    const std::function<bool(const std::string& relative)>& skip = {});

// Creates `path` and what is missing above it, each with `mode`. Returns what it created, topmost
// first.
std::vector<std::string> make_directories(const std::string& path, mode_t mode = 0700);

void sync_directory(const std::string& path);

bool same_content(const std::string& left, const std::string& right);

}  // namespace drydock::files
