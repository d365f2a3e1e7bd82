#include "state_dir.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "descriptor.h"
#include "digest.h"
#include "error.h"
#include "files.h"
#include "json_text.h"
#include "utc_time.h"

namespace drydock {
namespace {

const std::string fingerprint_begins = "hmac:";

namespace fs = std::filesystem;
constexpr std::size_t key_size = 32;

std::string random_key() {
  std::string key(key_size, '\0');
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    throw Error("the operating system gave no random bytes for a key; try again");
  }
  return key;
}

std::string read_text(int fd) {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : "";
}

// `status` may look at the lock for a moment, which is nobody's to wait for.
constexpr std::chrono::milliseconds glance(200);

// Does not sleep in flock(), which a cancel could not end.
bool take_lock(int fd, std::chrono::milliseconds wait, const Cancellation* cancellation) {
  const auto until = std::chrono::steady_clock::now() + wait;
  for (;;) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    if (std::chrono::steady_clock::now() >= until) return false;
    pollfd cancelled{cancellation == nullptr ? -1 : cancellation->fd(), POLLIN, 0};
    if (::poll(&cancelled, 1, 20) > 0) {
      throw Error("cancelled while waiting for the lock; nothing was changed", ExitCode::cancelled);
    }
  }
}

std::string lock_file(const StateDir& state) { return state.path() + "/lock"; }

// The text of a lock is information: it says for whom to wait, never whether somebody holds it.
DeploymentLock::Holder parse_holder(const std::string& text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    DeploymentLock::Holder holder;
    json.at("pid").get_to(holder.pid);
    json.at("user").get_to(holder.user);
    json.at("host").get_to(holder.host);
    json.at("since").get_to(holder.since);
    json.at("key").get_to(holder.key);
    return holder;
  } catch (const nlohmann::json::exception&) {
    return {};  // it is not written yet, or by somebody else
  }
}

}  // namespace

bool StateDir::exists() const {
  struct stat status {};
  return ::stat(path_.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void make_private_dir(const std::string& path) {
  std::error_code error;
  if (::mkdir(path.c_str(), 0700) == 0) return;
  if (errno == EEXIST && fs::is_directory(path, error)) return;
  for (fs::path part; const fs::path& piece : fs::path(path)) {
    part /= piece;
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      const int why = errno;
      // A parent that cannot be made may exist and be unreadable: only the last word counts.
      if (!fs::is_directory(part, error)) {
        throw Error("the folder " + part.string() + " cannot be made (" + std::strerror(why) +
                    "); check its owner and whether the disk is full or read-only");
      }
    }
  }
  if (!fs::is_directory(path, error)) {
    throw Error(path + " is no folder; move it aside, Drydock needs that name");
  }
}

void StateDir::create() const {
  make_private_dir(path_);
  if (::access(path_.c_str(), R_OK | W_OK | X_OK) != 0) {
    throw Error("the folder " + path_ + " cannot be used by " + user_name() + " (" +
                std::strerror(errno) +
                "); run drydock as the user who owns it, and check whether the disk is writable");
  }
  const std::string ignore = path_ + "/.gitignore";
  // Keeps backups and secrets out of the operator's own repository.
  if (!fs::exists(ignore)) write_file_atomically(ignore, "*\n");
  const std::string key_file = path_ + "/key";
  if (!fs::exists(key_file)) {
    if (key_.empty()) key_ = random_key();
    write_file_atomically(key_file, key_);
  }
}

std::string StateDir::newest_snapshot() const {
  std::error_code error;
  long long newest = -1;
  for (const fs::directory_entry& entry : fs::directory_iterator(snapshots(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.empty() || name.find_first_not_of("0123456789") != std::string::npos) continue;
    newest = std::max(newest, std::stoll(name));
  }
  return newest < 0 ? "" : snapshots() + "/" + std::to_string(newest);
}

std::string StateDir::fingerprint(const std::string& value) const {
  if (key_.empty()) {
    const std::string key_file = path_ + "/key";
    std::error_code unreadable;
    key_ = fs::exists(key_file, unreadable) ? read_file(key_file, 4096) : random_key();
  }
  return fingerprint_begins + hmac_sha256(key_, value);
}

bool is_fingerprint(std::string_view text) { return text.starts_with(fingerprint_begins); }

DeploymentLock::DeploymentLock(const StateDir& state, const Patience& patience) {
  const std::string path = lock_file(state);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    throw Error("the lock " + path + " cannot be opened (" + std::strerror(errno) +
                "); check who owns it and whether the disk is writable");
  }
  bool taken = take_lock(file.get(), glance, patience.cancellation);
  if (!taken && patience.wait.count() > 0) {
    if (patience.on_wait) patience.on_wait(parse_holder(read_text(file.get())));
    taken = take_lock(file.get(), patience.wait, patience.cancellation);
  }
  if (!taken) {
    const Holder holder = parse_holder(read_text(file.get()));
    throw Error(
        "another run holds the lock of this deployment" +
            (holder.pid == 0 ? std::string()
                             : " (process " + std::to_string(holder.pid) + " of " + holder.user +
                                   " on " + holder.host + " since " + holder.since + ")") +
            "; wait until it has ended (`drydock status` shows it), or add --lock-wait 10m",
        ExitCode::busy);
  }
  fd_ = file.release();
  const std::string text = compact({{"pid", ::getpid()},
                                    {"user", user_name()},
                                    {"host", host_name()},
                                    {"since", utc_now()},
                                    {"key", patience.key}});
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, text.data(), text.size(), 0) < 0) {
    // The lock itself holds; only what it says of its holder is missing.
  }
}

DeploymentLock::~DeploymentLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<DeploymentLock::Holder> DeploymentLock::held(const StateDir& state) {
  // Only looked at, so that a file system that is read-only hides no run.
  const int fd = ::open(lock_file(state).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::optional<Holder> holder;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) holder = parse_holder(read_text(fd));
  ::close(fd);
  return holder;
}

namespace {

std::string name_of_user(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

// The kernel keeps who has logged in, whatever they became since; where it does not, as within
// containers, sudo says who called it.
std::string login_name() {
  std::ifstream file("/proc/self/loginuid");
  constexpr uid_t nobody_logged_in = static_cast<uid_t>(-1);
  if (uid_t uid = nobody_logged_in; file >> uid && uid != nobody_logged_in) {
    return name_of_user(uid);
  }
  const char* caller = ::geteuid() == 0 ? std::getenv("SUDO_USER") : nullptr;
  return caller == nullptr ? "" : caller;
}

}  // namespace

std::string user_name() { return name_of_user(::geteuid()); }

std::string person_name() {
  const std::string user = user_name(), login = login_name();
  return login.empty() || login == user ? user : login + " (as " + user + ")";
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this machine";
}

}  // namespace drydock
