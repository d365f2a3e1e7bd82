// Processes that outlive their worker or the runner: finding them, naming them, ending them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spawn.h"

namespace drydock {

// A line of /proc/PID/stat.
struct ProcessInfo {
  pid_t pid = 0, parent = 0, group = 0, session = 0;
  char state = '?';
  std::uint64_t start_time = 0;  // field 22: clock ticks since boot
  std::string command;           // the command line, else the name of the program
};
std::optional<ProcessInfo> read_process(pid_t pid);
std::vector<ProcessInfo> all_processes();

// Which boot of which machine this is: start times of processes mean nothing in another one.
std::string boot_id();
// 0 when there is no such process.
std::uint64_t process_start_time(pid_t pid);

// From now on, orphans among our descendants become our children instead of init's.
void become_subreaper();

struct EndedProcess {
  pid_t pid = 0;
  std::string command;
};

// Ends what a dead run left of a worker's group: SIGTERM, after `grace` SIGKILL. Nothing is done
// when the machine was booted since, or when the group's number belongs to somebody else by now (a
// leader with another start time, or members older than the journaled leader).
std::vector<EndedProcess> end_process_group(
    pid_t group, std::uint64_t start_time, const std::string& boot,
    std::chrono::milliseconds grace = std::chrono::seconds(5));

// Starts a child that is expected to be there: a worker or a command. Until it is reaped with
// reap_child() it is no orphan. A process has one table of children, so there is one set of these.
Spawned spawn_child(const SpawnRequest& request);
void child_works(pid_t pid);  // it is no longer only prepared
int reap_child(pid_t pid);    // waits; the status as waitpid gives it

// Kills orphans that became our children and their descendants, and what is left in the group or
// session of a worker that was reaped just now; those of a worker that still lives are spared, and
// so are orphans that left their session while another child works. Two system calls when there are
// none, which is the rule.
std::vector<EndedProcess> end_orphans(pid_t group, std::uint64_t start_time);

}  // namespace drydock
