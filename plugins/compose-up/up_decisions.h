// What compose-up decides about services, from values alone.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compose_before.h"
#include "compose_types.h"

namespace drydock::compose {

using Names = std::set<std::string>;

// The service containers whose service is in none of the files, whatever the profile. Compose
// leaves them running, and two databases on one data folder corrupt it.
std::vector<Container> to_retire(const std::vector<Container>& existing, const Names& all_services);

// What there is, and what the files ask for.
struct Situation {
  std::vector<Container> existing;
  Model model;
  Names scope;                                // services of the model
  std::map<std::string, std::string> hashes;  // service -> configuration hash of the files
  std::map<std::string, std::string> images;  // reference -> id, of the model's
  // Of the files as they were: says which settings change. Empty: not known.
  Model before = {};
  Names changed_files = {};  // of the deployment, which the run changes
  Names one_shot = {};       // services that do their work and end
  Starts ran_before = {};    // what ran when the run began
  Names from_before = {};    // ids that are from before the run; only those have old files mounted
  // Whether a service is made anew because one that it depends on is. All in one `up` Compose does
  // so (2.26: measured), one service after the other it does not.
  bool with_dependants = true;
};

// What becomes of one service.
struct ServiceChange {
  enum class Kind { start, recreate, scale, keep };
  Kind kind = Kind::keep;
  std::string service;
  std::string image_before;  // "" when it has no container
  std::string image_after;
  std::string why;  // "" when it is left alone
  std::string rollback_loses;
  // Compose would leave it alone: nothing of its configuration hash changes.
  bool forced = false;

  bool changes() const { return kind != Kind::keep; }
};
// Of each service of the scope, in the order of their dependencies.
std::vector<ServiceChange> decide_changes(const Situation& situation);
Names services_made_anew(const std::vector<ServiceChange>& changes);

// The services of the scope that Compose would leave alone although something that their containers
// hold has changed: what a mounted file says, or which volume a name means.
Names forced_anew(const Situation& situation);

// What the containers keep in volumes without a name, which a container made anew after a rollback
// does not get back; "" when nothing.
std::string kept_in_anonymous_volumes(const std::vector<Container>& containers);

// How to take back what `up` did, from what was noted before it. drained: ids of containers that
// were told to refuse their work, which only a new one in their place takes back.
struct Undo {
  std::vector<std::string> remove;          // ids that it made, or drained
  std::map<std::string, std::string> stop;  // ids that it only started -> noted restart policy
};
Undo decide_undo(const std::vector<Container>& noted, const std::vector<Container>& existing,
                 const Names& scope, const Names& drained);

}  // namespace drydock::compose
