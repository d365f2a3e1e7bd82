#include "spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace drydock {
namespace {

// Of open files, before this process took more. rlim_max is 0: it has not.
rlimit& limit_of_before() {
  static rlimit limit{};
  return limit;
}

// What parent and child share while the parent waits. Nothing here is allocated by the child.
struct Start {
  const char* path;
  char* const* arguments;
  char* const* environment;
  const char* directory;
  std::array<int, 4> descriptors;
  bool own_session, outlives_us;
  const char* oom_score_adj;
  pid_t parent;
  rlimit open_files;
  // Set by the child when it fails.
  int error = 0;
  const char* failed = "";
};

// What runs in the child on borrowed memory leaves no marks of a sanitizer there: it never returns,
// so it could not remove them.
#define IN_THE_CHILD __attribute__((no_sanitize("address")))

// A handler of the parent must not run in the child, which shares its memory.
IN_THE_CHILD void reset_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);
}

// Moves descriptors to 0..3 without overwriting one that is still to be moved.
IN_THE_CHILD bool place_descriptors(std::array<int, 4> from) {
  for (int& fd : from) {
    if (fd < 0 || fd > 3) continue;
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 4);
    if (fd < 0) return false;
  }
  for (int target = 0; target < 4; ++target) {
    int fd = from[static_cast<std::size_t>(target)];
    if (fd < 0 && target == 3) continue;
    if (fd < 0) fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    // A descriptor that open() put right where it belongs only has to survive execve.
    const bool placed = fd == target ? ::fcntl(fd, F_SETFD, 0) == 0 : ::dup2(fd, target) == target;
    if (fd < 0 || !placed) return false;
  }
  // Descriptors of ours are close-on-exec; a library's may not be.
  ::syscall(SYS_close_range, from[3] >= 0 ? 4u : 3u, ~0u, 0u);
  return true;
}

// Runs in the parent's memory on a stack of its own: only calls that are safe after a fork.
IN_THE_CHILD int begin(void* data) {
  Start& start = *static_cast<Start*>(data);
  const auto fail = [&start](const char* what) IN_THE_CHILD {
    start.error = errno;
    start.failed = what;
    ::_exit(127);
  };
  reset_signals();
  if (start.own_session && ::setsid() < 0) fail("setsid");
  if (!start.outlives_us) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
    if (::getppid() != start.parent) ::_exit(127);  // it died before prctl could notice
  }
  if (*start.oom_score_adj != '\0') {
    const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    // Where /proc is not writable the worker is simply not preferred.
    if (fd >= 0 && ::write(fd, start.oom_score_adj, std::strlen(start.oom_score_adj)) >= 0) {
      ::close(fd);
    }
  }
  if (!place_descriptors(start.descriptors)) fail("dup2");
  if (*start.directory != '\0' && ::chdir(start.directory) != 0) fail(start.directory);
  // Last: descriptors of the parent may have been above it.
  if (start.open_files.rlim_max != 0 && ::setrlimit(RLIMIT_NOFILE, &start.open_files) != 0) {
    fail("setrlimit");
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(start.path, start.arguments, start.environment);
  fail(start.path);
  return 0;
}

// Like vfork, so that the size of the parent does not matter, but on another stack, so that the
// child cannot disturb the parent's frames.
__attribute__((noinline)) pid_t clone_and_wait_for_exec(Start& start, int& pidfd) {
  alignas(16) std::array<char, 16384> stack;
  return ::clone(&begin, stack.data() + stack.size(),
                 CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &pidfd);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::string_view value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.size() > name.size() && entry.compare(0, name.size(), name) == 0 &&
        entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

// Where a program is; "" when PATH has none. Found before the fork, where one may allocate.
std::string find_program(const std::string& program, std::string_view path) {
  if (program.find('/') != std::string::npos) return program;
  while (!program.empty() && !path.empty()) {
    const std::size_t end = std::min(path.find(':'), path.size());
    const std::string candidate = std::string(path.substr(0, end)) + "/" + program;
    struct stat status {};
    if (candidate[0] == '/' && ::stat(candidate.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return "";
}

bool is_kept(std::string_view name) {
  // The agent: an engine behind DOCKER_HOST=ssh:// is reached with its keys.
  constexpr std::array<std::string_view, 14> kept = {
      "PATH",          "HOME",       "USER",       "LANG",        "TZ",
      "SSH_AUTH_SOCK", "http_proxy", "HTTP_PROXY", "https_proxy", "no_proxy",
      "HTTPS_PROXY",   "all_proxy",  "ALL_PROXY",  "NO_PROXY"};
  return std::find(kept.begin(), kept.end(), name) != kept.end() || name.substr(0, 4) == "XDG_" ||
         name.substr(0, 7) == "DOCKER_";
}

}  // namespace

Spawned spawn(const SpawnRequest& request) {
  Spawned result;
  if (request.arguments.empty()) {
    result.refused = "the command is empty";
    return result;
  }
  const std::string& program = request.arguments[0];
  const std::string path = find_program(program, value_of(request.environment, "PATH"));
  if (path.empty()) {
    result.refused = "'" + program + "' is not in PATH (" +
                     std::string(value_of(request.environment, "PATH")) + ")";
    return result;
  }
  const std::vector<char*> arguments = pointers(request.arguments);
  const std::vector<char*> environment = pointers(request.environment);
  const std::string oom =
      request.oom_score_adj == 0 ? std::string() : std::to_string(request.oom_score_adj);
  Start start{path.c_str(),
              arguments.data(),
              environment.data(),
              request.directory.c_str(),
              {request.input, request.output, request.error, request.channel},
              request.own_session,
              request.outlives_us,
              oom.c_str(),
              ::getpid(),
              limit_of_before()};

  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  const pid_t pid = clone_and_wait_for_exec(start, pidfd);
  const int clone_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (pid < 0) {
    result.refused = "no process could be started: " + std::string(std::strerror(clone_error));
    result.for_want = is_for_want(clone_error);
    return result;
  }
  result.pidfd = Descriptor(pidfd);
  if (start.error != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    result.refused = std::string(start.failed) + ": " + std::strerror(start.error);
    result.for_want = is_for_want(start.error);
    return result;
  }
  result.pid = pid;
  return result;
}

void use_all_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) limit_of_before() = before;
}

bool is_for_want(int error) {
  return error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM;
}

std::vector<std::string> scrubbed_environment() {
  std::vector<std::string> result;
  bool has_path = false;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (!is_kept(name)) continue;
    has_path = has_path || name == "PATH";
    result.emplace_back(text);
  }
  if (!has_path) {
    result.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  }
  result.emplace_back("TERM=dumb");
  return result;
}

std::vector<std::string> with_additions(std::vector<std::string> environment,
                                        const std::vector<std::string>& additions) {
  for (const std::string& addition : additions) {
    const std::size_t name_size = std::min(addition.find('='), addition.size());
    std::erase_if(environment, [&](const std::string& entry) {
      return entry.compare(0, name_size, addition, 0, name_size) == 0 &&
             (entry.size() == name_size || entry[name_size] == '=');
    });
    environment.push_back(addition);
  }
  return environment;
}

}  // namespace drydock
