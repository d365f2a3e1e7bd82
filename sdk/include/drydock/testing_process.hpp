// drydock/testing_process.hpp: commands for the fake host of testing.hpp, which includes this.
// Either a Result that the test makes up, or what a real command gave. No shell is involved.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "drydock/stage_types.hpp"

namespace drydock::testing {

// What a command does.
struct Result {
  int code = 0;
  std::string out = {};
  std::string err = {};
  int signal = 0;
  bool timed_out = false;
  std::string cannot_start = {};  // when set, the host could not start it, for this reason
};

inline bool is_readable(int fd) {
  struct pollfd one = {fd, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

// The scrubbed environment that stage.h promises, and what the process asks for.
inline std::vector<std::string> child_environment(const Process& process) {
  static const std::vector<std::string> kept = {
      "PATH=",        "HOME=",          "USER=",      "LANG=",     "TZ=",         "XDG_",
      "DOCKER_",      "SSH_AUTH_SOCK=", "no_proxy=",  "NO_PROXY=", "http_proxy=", "HTTP_PROXY=",
      "https_proxy=", "HTTPS_PROXY=",   "all_proxy=", "ALL_PROXY="};
  std::vector<std::string> result = {"TERM=dumb"};
  for (char** item = environ; *item != nullptr; ++item) {
    const std::string variable = *item;
    for (const std::string& prefix : kept) {
      if (variable.compare(0, prefix.size(), prefix) == 0) result.push_back(variable);
    }
  }
  result.insert(result.end(), process.environment.begin(), process.environment.end());
  return result;
}

namespace detail {

struct Descriptor {
  explicit Descriptor(int opened = -1) : fd(opened) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int fd;
};

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    read.fd = ends[0];
    write.fd = ends[1];
  }
  Descriptor read, write;
};

inline std::vector<char*> pointers(std::vector<std::string>& items) {
  std::vector<char*> result;
  for (std::string& item : items) result.push_back(item.data());
  result.push_back(nullptr);
  return result;
}

inline bool write_all(int fd, const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  return true;
}

// Of standard output. A stream of the standard library would be inherited by what another thread
// starts meanwhile, and whoever reads a pipe would wait for the end of that.
inline int open_output(const std::string& path, int how) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
}

// Standard input: a file, or the given bytes in an unlinked one (a pipe could block both sides).
inline int open_input(const Process& process) {
  if (!process.input_file.empty()) return ::open(process.input_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (process.input.empty()) return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  std::string pattern = "/tmp/drydock-input-XXXXXX";
  const int fd = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (fd < 0) return fd;
  ::unlink(pattern.c_str());
  if (!write_all(fd, process.input)) {
    throw std::runtime_error("cannot write the input of a command");
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

// Reads what is there; false at the end of the stream.
inline bool read_some(int fd, std::string& into) {
  char buffer[65536];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

}  // namespace detail

// Runs the command for real, in a process group of its own, until it ends, its timeout passes or
// cancel_fd becomes readable (then the group is killed). process.directory must be set. What goes
// into process.output_file is not in the result.
inline Result execute(const Process& process, int cancel_fd) {
  Result result;
  detail::Descriptor input(detail::open_input(process));
  if (input.fd < 0) {
    result.cannot_start = process.input_file + ": " + std::strerror(errno);
    return result;
  }
  detail::Pipe out, err;
  // Into its file it writes itself, as under Drydock: it may go back in it.
  if (!process.output_file.empty()) {
    out.write.close();
    out.read.close();
    out.write.fd = detail::open_output(process.output_file, O_TRUNC);
    if (out.write.fd < 0) {
      result.cannot_start = process.output_file + ": " + std::strerror(errno);
      return result;
    }
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.fd, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.fd, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write.fd, 2);
  posix_spawn_file_actions_addchdir_np(&actions, process.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = process.arguments;
  std::vector<std::string> environment = child_environment(process);
  pid_t pid = 0;
  const int failed =
      ::posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes,
                     detail::pointers(arguments).data(), detail::pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    result.cannot_start = "cannot start " + arguments[0] + ": " + std::strerror(failed);
    return result;
  }
  out.write.close();
  err.write.close();

  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  while (out.read.fd >= 0 || err.read.fd >= 0) {
    int wait = -1;
    if (process.timeout.count() > 0) {
      const auto spent =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
      wait = static_cast<int>(std::max<std::int64_t>(0, (process.timeout - spent).count()));
    }
    struct pollfd watched[] = {
        {out.read.fd, POLLIN, 0}, {err.read.fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
    const int ready = ::poll(watched, 3, wait);
    if (ready == 0) result.timed_out = true;
    if (ready == 0 || watched[2].revents != 0) {
      ::kill(-pid, SIGKILL);
      break;
    }
    if (watched[0].revents != 0 && !detail::read_some(out.read.fd, result.out)) out.read.close();
    if (watched[1].revents != 0 && !detail::read_some(err.read.fd, result.err)) err.read.close();
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return result;
}

}  // namespace drydock::testing
