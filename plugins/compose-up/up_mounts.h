// Two writers on one folder or volume: two databases on one data folder corrupt it. Decided from
// values alone, but for data_mounts().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compose_types.h"
#include "up_decisions.h"

namespace drydock::compose {

// Those that can hold data. One folder may be written in two ways: the real path is taken. Files,
// sockets and the system's own folders (the engine's socket, /etc/localtime) are mounted by many
// and are nobody's data.
std::vector<Mount> data_mounts(const std::vector<Mount>& mounts);

// What the mounts can write to, by Mount::held().
Names writable(const std::vector<Mount>& mounts);

struct MountQuestion {
  Model model;
  Names scope;                      // services that get or keep containers
  Names made_anew;                  // of them: those whose containers are replaced
  std::vector<Container> existing;  // of the deployment
  std::vector<Container> running;   // everything on the engine
  Names retired_ids;
  Names shares;  // declared: real paths and volumes
};

// A container that writes to what a service is about to write to.
struct HeldMount {
  std::string service;
  std::string mount;  // Mount::held()
  Container holder;
  std::string sentence() const;
};
struct MountDecision {
  std::optional<HeldMount> refused;
  // Ids that give the mount up, since the files no longer give it to them: stopped before whoever
  // gets it starts. They are made anew anyway.
  std::vector<std::string> stop_first;
};
// Whoever wrote to a mount together before may go on: a service and any other holder, or any
// services of the deployment that get a mount which at least two of them had. So may services that
// are made anew together, by files that give it to both. What is retired holds nothing by then.
// Anybody else who holds a mount stands in the way.
MountDecision decide_mounts(const MountQuestion& question);

}  // namespace drydock::compose
