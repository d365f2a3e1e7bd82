// Getting back what ran: the one function with which every stage that stopped or replaced
// containers of a deployment settles.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compose_health.h"
#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// What settling would do, decided from the noted containers and those that exist.
struct Settlement {
  std::vector<std::string> start;               // ids: exist, ran before, configured otherwise now
  std::map<std::string, std::string> policies;  // id -> restart policy to put back
  std::map<std::string, std::string> retag;     // image reference -> id, for what `up` creates
  std::set<std::string> up;                     // services to bring up by the files
  std::set<std::string> create;                 // services that existed, but did not run
  std::map<std::string, std::size_t> containers;  // service -> how many ran
};

// hashes: of the files as they are now. images: reference -> id, as the engine has them now.
Settlement decide_settlement(const std::vector<Container>& noted,
                             const std::vector<Container>& existing,
                             const std::map<std::string, std::string>& hashes,
                             const std::map<std::string, std::string>& images);

// Everything of `noted` that ran runs again: from the exact image ids, by the files that are there
// now (call.model_before() for a service that they do not have), with its restart policy; then
// waits until it runs and, where it was healthy, is healthy. Safe to repeat; finds nothing to do
// when it all runs already.
void settle_noted(const Call& call, const std::vector<Container>& noted,
                  const WaitOptions& options);

}  // namespace drydock::compose
