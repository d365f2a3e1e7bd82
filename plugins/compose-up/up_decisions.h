// What compose-up decides, from values alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compose_types.h"

namespace drydock::compose {

// The service containers whose service is in none of the files, whatever the profile. Compose
// leaves them running, and two databases on one data folder corrupt it.
std::vector<Container> to_retire(const std::vector<Container>& existing,
                                 const std::set<std::string>& all_services);

// What `up` would do with one service.
struct ServiceChange {
  std::string action;  // "start" or "change"
  std::string service;
  std::string image_before;  // "" when it has no container
  std::string image_after;
  std::string why;
  std::string rollback_loses;
};
// hashes: service -> configuration hash of the files. images: reference -> id, of the model's.
// with_dependants: also what changes only because something that it depends on does.
std::vector<ServiceChange> decide_changes(const std::vector<Container>& existing,
                                          const Model& model, const std::set<std::string>& scope,
                                          const std::map<std::string, std::string>& hashes,
                                          const std::map<std::string, std::string>& images,
                                          bool with_dependants);

// What the containers keep in volumes without a name, which a container made anew does not get
// back;
// "" when nothing.
std::string kept_in_anonymous_volumes(const std::vector<Container>& containers);

// A container that writes to what a service is about to write to.
struct HeldMount {
  std::string service;
  std::string mount;  // Mount::held()
  Container holder;
  std::string sentence() const;
};
// Two services of the model may share a mount: that is declared. So may a service and whoever
// shared it with the service's container before. Anybody else who holds it and stays is in the way.
std::optional<HeldMount> find_held_mount(const Model& model, const std::set<std::string>& scope,
                                         const std::vector<Container>& existing,
                                         const std::vector<Container>& running,
                                         const std::set<std::string>& retired_ids,
                                         const std::set<std::string>& shares);

// How to take back what `up` did, from what was noted before it.
struct Undo {
  std::vector<std::string> remove;          // ids that it made
  std::map<std::string, std::string> stop;  // ids that it only started -> noted restart policy
};
Undo decide_undo(const std::vector<Container>& noted, const std::vector<Container>& existing,
                 const std::set<std::string>& scope);

}  // namespace drydock::compose
