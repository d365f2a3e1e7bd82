#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>

#include "spawn.h"

namespace drydock {
namespace {

constexpr std::size_t proc_file_size = 4096;

// Files of /proc have no size to ask for; those read here are small.
std::string read_proc(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  std::string result(proc_file_size, '\0');
  const ssize_t got = ::read(file.get(), result.data(), result.size());
  result.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return result;
}

std::string command_line(pid_t pid) {
  std::string line = read_proc("/proc/" + std::to_string(pid) + "/cmdline");
  while (!line.empty() && line.back() == '\0') line.pop_back();
  std::replace(line.begin(), line.end(), '\0', ' ');
  if (line.size() > 200) line = line.substr(0, 200) + "...";
  return line;
}

int send_signal(const Descriptor& pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0));
}

std::mutex& children_mutex() {
  static std::mutex mutex;
  return mutex;
}
std::set<pid_t>& expected_children() {
  static std::set<pid_t> children;
  return children;
}

// Of those, the ones that work for somebody, and may have orphans of their own.
std::set<pid_t>& working_children() {
  static std::set<pid_t> children;
  return children;
}

// Are there children that nobody expects? True also where the kernel does not list them.
bool has_unexpected_children() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  // Those of this thread; what was orphaned became a child of the first one.
  const std::string self = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  const std::string list = read_proc(self);
  if (list.empty() || list.size() == proc_file_size) return true;
  std::istringstream children(list);
  const std::lock_guard lock(children_mutex());
  for (pid_t child; children >> child;) {
    if (expected_children().count(child) == 0) return true;
  }
  return false;
}

// Reaps a child that was killed, unless the kernel cannot let go of it within a second.
void reap_killed(pid_t pid) {
  for (int tries = 0; tries < 1000; ++tries) {
    const pid_t reaped = ::waitpid(pid, nullptr, WNOHANG);
    if (reaped == pid || (reaped < 0 && errno != EINTR)) return;
    ::poll(nullptr, 0, 1);
  }
}

bool belongs(const ProcessInfo& process, pid_t group, std::uint64_t start_time) {
  return (process.group == group || process.session == group) && process.start_time >= start_time;
}

// The processes of `table` that descend from `roots`, the roots among them.
std::vector<ProcessInfo> with_descendants(std::set<pid_t> roots,
                                          const std::vector<ProcessInfo>& table) {
  for (std::size_t before = 0; before != roots.size();) {
    before = roots.size();
    for (const ProcessInfo& each : table) {
      if (roots.count(each.parent) != 0) roots.insert(each.pid);
    }
  }
  std::vector<ProcessInfo> result;
  for (const ProcessInfo& each : table) {
    if (roots.count(each.pid) != 0) result.push_back(each);
  }
  return result;
}

}  // namespace

std::optional<ProcessInfo> read_process(pid_t pid) {
  const std::string stat = read_proc("/proc/" + std::to_string(pid) + "/stat");
  // The name is in parentheses and may hold parentheses and blanks itself.
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  info.command = stat.substr(open + 1, close - open - 1);
  std::istringstream fields(stat.substr(close + 1));
  std::string skipped;
  fields >> info.state >> info.parent >> info.group >> info.session;
  for (int field = 7; field < 22; ++field) fields >> skipped;
  fields >> info.start_time;
  if (!fields) return std::nullopt;
  return info;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return result;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (auto info = read_process(std::atoi(entry->d_name))) result.push_back(std::move(*info));
  }
  return result;
}

std::string boot_id() {
  std::string id = read_proc("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::uint64_t process_start_time(pid_t pid) {
  const auto info = read_process(pid);
  return info ? info->start_time : 0;
}

void become_subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

std::vector<EndedProcess> end_process_group(pid_t group, std::uint64_t start_time,
                                            const std::string& boot,
                                            std::chrono::milliseconds grace) {
  if (group <= 1 || group == ::getpgrp() || boot.empty() || boot != boot_id()) return {};
  struct Member {
    EndedProcess process;
    Descriptor pidfd;
  };
  std::vector<Member> members;
  for (const ProcessInfo& each : all_processes()) {
    // A worker leads a session, too: commands that made groups of their own are still in it.
    if ((each.group != group && each.session != group) || each.state == 'Z') continue;
    if (each.pid == group && each.start_time != start_time) return {};
    if (each.start_time < start_time) return {};
    Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, each.pid, 0)));
    // The descriptor is of the process that was read, if that one still has its number.
    if (!pidfd || process_start_time(each.pid) != each.start_time) continue;
    const std::string line = command_line(each.pid);
    members.push_back({{each.pid, line.empty() ? each.command : line}, std::move(pidfd)});
  }
  for (const Member& member : members) send_signal(member.pidfd, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + grace;
  for (const Member& member : members) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd ended{member.pidfd.get(), POLLIN, 0};
    if (::poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) == 1) continue;
    send_signal(member.pidfd, SIGKILL);
    ::poll(&ended, 1, 1000);  // until the kernel has let go of its files and sockets
  }
  std::vector<EndedProcess> result;
  for (Member& member : members) result.push_back(std::move(member.process));
  return result;
}

Spawned spawn_child(const SpawnRequest& request) {
  const std::lock_guard lock(children_mutex());
  Spawned child = spawn(request);
  if (child.pid > 0) expected_children().insert(child.pid);
  return child;
}

void child_works(pid_t pid) {
  const std::lock_guard lock(children_mutex());
  working_children().insert(pid);
}

int reap_child(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  const std::lock_guard lock(children_mutex());
  expected_children().erase(pid);
  working_children().erase(pid);
  return status;
}

std::vector<EndedProcess> end_orphans(pid_t group, std::uint64_t start_time) {
  std::vector<EndedProcess> result;
  // Killing a parent may hand us its children: again until there are none, but not for ever.
  for (int round = 0; round < 20; ++round) {
    if (!has_unexpected_children() && ::kill(-group, 0) != 0) break;
    const std::lock_guard lock(children_mutex());
    const std::set<pid_t>& expected = expected_children();
    const std::vector<ProcessInfo> table = all_processes();
    std::set<pid_t> orphans;
    for (const ProcessInfo& each : table) {
      // Whose an orphan is that left its session cannot be told while others work: the last of
      // them ends it.
      const bool ours = working_children().empty() && each.parent == ::getpid() &&
                        expected.count(each.pid) == 0 && expected.count(each.session) == 0;
      if (ours || belongs(each, group, start_time)) orphans.insert(each.pid);
    }
    if (orphans.empty()) break;
    for (const ProcessInfo& each : with_descendants(orphans, table)) {
      if (each.state != 'Z') {
        // One that is slow to die is met again, and named once.
        const bool named =
            std::any_of(result.begin(), result.end(),
                        [&each](const EndedProcess& one) { return one.pid == each.pid; });
        if (!named) {
          const std::string line = command_line(each.pid);
          result.push_back({each.pid, line.empty() ? each.command : line});
        }
        ::kill(each.pid, SIGKILL);
      }
      if (each.parent == ::getpid()) reap_killed(each.pid);
    }
  }
  return result;
}

}  // namespace drydock
