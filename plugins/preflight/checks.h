// What must hold before an upgrade begins, decided from values alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compose_types.h"

namespace drydock::preflight {

// A machine as its engine tells of it; -1: not known.
struct Machine {
  std::string engine_version, compose_version;  // "": not known
  std::int64_t memory = -1, cpus = -1, free_disk = -1;
};
struct Minimum {
  std::string engine_version, compose_version;
  std::int64_t memory = 0, cpus = 0, free_disk = 0;  // 0: any
};

// What speaks against the upgrade, each a sentence without its full stop; and what could not be
// checked.
struct Findings {
  std::vector<std::string> refused, not_known;
};

void check_machine(const Machine& machine, const Minimum& minimum, Findings& findings);

// The running containers of this deployment belong to the project that the upgrade would use:
// under another name Compose makes everything anew, with empty volumes.
void check_project(const std::string& project, const std::vector<compose::Container>& here,
                   Findings& findings);

// A service that stays has its data where it had it: a place in the container that was a volume or
// a folder and is another one now would start empty. `moved`: services for which that is meant.
// `renamed`: old name -> new name of services that go on under another one.
void check_volumes(const compose::Model& before, const compose::Model& after,
                   const std::set<std::string>& moved, Findings& findings,
                   const std::map<std::string, std::string>& renamed = {});

}  // namespace drydock::preflight
