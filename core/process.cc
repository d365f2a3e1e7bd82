#include "process.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>

#include "spawn.h"

namespace drydock {
namespace {

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
  constexpr std::size_t listed = 4096;
  const std::string list = read_proc(self, listed);
  // Empty when all children are those of other threads; where the kernel has no such list, too.
  if (list.size() == listed || (list.empty() && ::access(self.c_str(), R_OK) != 0)) return true;
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

void become_subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
void leave_orphans_to_init() { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

namespace {

bool is_marked(const ProcessInfo& process, const std::string& mark) {
  constexpr std::size_t largest_environment = std::size_t{1} << 20;
  const std::string environment =
      '\0' + read_proc("/proc/" + std::to_string(process.pid) + "/environ", largest_environment);
  return environment.find('\0' + mark + '\0') != environment.npos;
}

std::vector<ProcessInfo> left_by(pid_t group, std::uint64_t start_time) {
  const std::string mark = worker_mark(group, start_time);
  std::vector<ProcessInfo> marked, in_group;
  bool is_anothers = false;
  for (ProcessInfo& each : all_processes()) {
    if (each.state == 'Z') continue;
    const bool is_older = each.start_time < start_time;
    // A worker leads a session, too: commands that made groups of their own are still in it.
    if (each.group == group || each.session == group) {
      if (is_older || (each.pid == group && each.start_time != start_time)) is_anothers = true;
      in_group.push_back(std::move(each));
    } else if (!is_older && is_marked(each, mark)) {
      marked.push_back(std::move(each));
    }
  }
  if (!is_anothers) marked.insert(marked.end(), in_group.begin(), in_group.end());
  return marked;
}

}  // namespace

std::vector<EndedProcess> end_process_group(pid_t group, std::uint64_t start_time,
                                            const std::string& boot,
                                            std::chrono::milliseconds grace) {
  if (group <= 1 || group == ::getpgrp() || boot.empty() || boot != boot_id()) return {};
  struct Member {
    EndedProcess process;
    Descriptor pidfd;
  };
  std::vector<Member> members;
  for (const ProcessInfo& each : left_by(group, start_time)) {
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
  forget_child(pid);
  return status;
}

void forget_child(pid_t pid) {
  const std::lock_guard lock(children_mutex());
  expected_children().erase(pid);
  working_children().erase(pid);
}

void reap_orphans() {
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    {
      const std::lock_guard lock(children_mutex());
      if (expected_children().count(ended.si_pid) != 0) return;  // whoever started it asks
    }
    ::waitid(P_PID, static_cast<id_t>(ended.si_pid), &ended, WEXITED | WNOHANG);
  }
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
