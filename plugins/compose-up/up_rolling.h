// One service after the other, and two containers of it beside each other for a while.
#pragma once

#include <optional>
#include <string>

#include "drydock/stage.hpp"
#include "up_decisions.h"

namespace drydock::compose {

// Why no second container of the service can run beside its first one; nullopt when one can.
// shared: mounts that several writers may have, by Mount::held().
std::optional<std::string> why_not_rolling(const Service& service, const Model& model,
                                           const Names& shared);

// What replacing one service's containers, one at a time, needs to know.
struct Rolling {
  Service service;
  std::string hash;                   // of the files
  Names replaced_anyway;              // ids that are to be replaced although they look right
  std::vector<Container> noted;       // what there was before the stage
  std::chrono::milliseconds wait{0};  // for each new container
};

// For each container that is not what the files ask for: a new one beside it, proven to be up, then
// the old one drained (`drain`), stopped and removed. Safe to repeat after it died anywhere; new
// containers that did not come up then are made anew. Throws Failed when one does not come up: the
// old one still runs.
void replace_rolling(const Call& call, const Rolling& rolling);

}  // namespace drydock::compose
