#include "journal_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "descriptor.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_unusable(const std::string& path, const std::string& finding) {
  const std::string folder = fs::path(path).parent_path().string();
  std::string time = utc_now().substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  const std::string aside = shell_word(folder + "/damaged-" + time);
  throw JournalDamaged("the journal " + path + " " + finding +
                       "; move it aside with: mkdir -m 700 " + aside + " && mv " +
                       shell_word(path) + "* " + aside + "/ (backups stay in " + folder +
                       "/backups and can be used by hand, but no run that only this journal knew "
                       "can be rolled back any more)");
}

[[noreturn]] void throw_unopened(const std::string& path) {
  throw Error("the journal " + path + " cannot be opened (" + std::strerror(errno) +
              "); check who owns it and whether the disk is writable");
}

void make_durable(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) throw_unopened(path);
}

}  // namespace

bool journal_exists(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return false;
    throw_unopened(path);
  }
  if (S_ISDIR(status.st_mode)) throw_unusable(path, "is a folder where a file is needed");
  if (!S_ISREG(status.st_mode)) throw_unusable(path, "is no regular file");
  if (status.st_size == 0) throw_damaged(path, "it is empty");
  return true;
}

std::string unfinished_file(const std::string& path) { return path + ".new"; }

std::string kept_copy_file(const std::string& path, int version) {
  return fs::path(path).replace_extension("v" + std::to_string(version) + ".db").string();
}

std::string name_to_open(const std::string& path) {
  std::error_code none;
  if (::access(path.c_str(), W_OK) == 0 || errno != EROFS) return path;
  if (fs::file_size(path + "-wal", none) > 0 && !none) return path;
  std::string uri = "file:";
  for (const char c : path) {
    constexpr std::string_view special = "%?#";
    if (special.find(c) == special.npos) {
      uri += c;
    } else {
      std::array<char, 4> code{};
      std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned>(c));
      uri += code.data();
    }
  }
  return uri + "?immutable=1";
}

// SQLite would create the file with the mode of the umask, and its -wal and -shm files take its
// mode.
void create_unfinished_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw_unopened(path);
  const Descriptor file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw_unopened(path);
}

void publish_file(const std::string& path, const std::string& as) {
  make_durable(path);
  if (::rename(path.c_str(), as.c_str()) != 0) throw_unopened(as);
  make_durable(fs::path(as).parent_path().string());
}

std::uint64_t highest_run_beside(const std::string& path) {
  std::uint64_t highest = 0;
  for (const char* folder : {"backups", "logs", "snapshots"}) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(fs::path(path).parent_path() / folder, none)) {
      const auto number = parse_number(entry.path().filename().string());
      highest = std::max(highest, number.value_or(0));
    }
  }
  return highest;
}

void throw_damaged(const std::string& path, const std::string& finding) {
  throw_unusable(path, "is damaged (" + finding + ")");
}

void throw_failure(const std::string& path, const std::string& what, int code,
                   const std::string& message) {
  std::string remedy;
  switch (code) {
    // Its statements are ours and known to be right: what they do not find is missing in the file.
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
      throw_damaged(path, message);
    case SQLITE_FULL:
      remedy = "free space on its disk";
      break;
    case SQLITE_IOERR:
      remedy = "check its disk";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      remedy = "another process keeps it busy, try again when that has ended";
      break;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      remedy = "check who owns it and whether the disk is writable";
      break;
    default:
      remedy = "`drydock status` shows what it recorded";
  }
  // SOCI names a function of its own before what SQLite said.
  const bool named = message.starts_with("sqlite3_");
  const std::size_t said = named ? message.find(": ") : message.npos;
  throw Error("the journal " + path + " failed to " + what + " (" +
              (said == message.npos ? message : message.substr(said + 2)) + "); " + remedy);
}

}  // namespace drydock
