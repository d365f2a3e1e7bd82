// Starts a process: the one place where Drydock forks, in the runner and in the worker.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "descriptor.h"

namespace drydock {

struct SpawnRequest {
  std::vector<std::string> arguments;    // arguments[0] is looked up in the PATH of `environment`
  std::vector<std::string> environment;  // "NAME=value"; the whole of it
  std::string directory;                 // "": where the parent is
  // Become descriptors 0, 1, 2, 3; every other one is closed. -1: /dev/null for 0, 1 and 2, none
  // for 3.
  int input = -1, output = -1, error = -1, channel = -1;
  bool outlives_us = false;  // else it is killed when the thread that starts it ends
  bool own_session = true;   // a process group, too; and no terminal that could stop it
  int oom_score_adj = 0;     // 0: as the parent
};

struct Spawned {
  pid_t pid = -1;
  Descriptor pidfd;     // readable once it has ended
  std::string refused;  // when pid is -1: why it could not be started
  // That is for want of processes, memory or open files: once others have ended it may be.
  bool for_want = false;
};

// The child dies by SIGKILL when the thread that called this ends (PR_SET_PDEATHSIG), so that
// thread must live as long as the child. Its signals have their defaults.
Spawned spawn(const SpawnRequest& request);

// From now on this process may have as many open files as the system allows it. What it starts has
// the limit of before: there are programs that go through all numbers of files, or use select().
void use_all_open_files();

// Whether a call with this errno may succeed once other processes have ended.
bool is_for_want(int error);

// The environment that plugins and their commands get: what finds programs, the user's home, the
// container engine and a proxy, and nothing else.
std::vector<std::string> scrubbed_environment();

// `additions` replace variables of the same name.
std::vector<std::string> with_additions(std::vector<std::string> environment,
                                        const std::vector<std::string>& additions);

}  // namespace drydock
