// Processes that outlive their worker or the runner: finding them, naming them, ending them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "process_info.h"
#include "spawn.h"

namespace drydock {

// From now on, orphans among our descendants become our children instead of init's.
void become_subreaper();
// They become init's again: for a command whose children are to outlive it.
void leave_orphans_to_init();

struct EndedProcess {
  pid_t pid = 0;
  std::string command;
};

// Ends what a dead run left of a worker's group, and commands of that worker that have left the
// group: SIGTERM, after `grace` SIGKILL. Nothing is done when the machine was booted since, or to
// the group when its number belongs to somebody else by now (a leader with another start time, or
// members older than the journaled leader).
std::vector<EndedProcess> end_process_group(
    pid_t group, std::uint64_t start_time, const std::string& boot,
    std::chrono::milliseconds grace = std::chrono::seconds(5));

// Starts a child that is expected to be there: a worker or a command. Until it is reaped with
// reap_child() it is no orphan. A process has one table of children, so there is one set of these.
Spawned spawn_child(const SpawnRequest& request);
void child_works(pid_t pid);   // it is no longer only prepared
int reap_child(pid_t pid);     // waits; the status as waitpid gives it
void forget_child(pid_t pid);  // an orphan from now on

// Takes note of the ends of orphans that became our children: where we are the first process of a
// container, nobody else does.
void reap_orphans();

// Kills orphans that became our children and their descendants, and what is left in the group or
// session of a worker that was reaped just now; those of a worker that still lives are spared, and
// so are orphans that left their session while another child works. Two system calls when there are
// none, which is the rule.
std::vector<EndedProcess> end_orphans(pid_t group, std::uint64_t start_time);

}  // namespace drydock
