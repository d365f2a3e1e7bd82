// Getting back what ran: the one function with which every stage that stopped or replaced
// containers of a deployment settles.
#pragma once

#include <vector>

#include "compose_health.h"
#include "compose_settlement.h"
#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// Everything of `noted` that ran runs again: the same containers where they still exist, else new
// ones from the exact image ids by the files that are there now (by call.model_before() for a
// service that they do not have), with their restart policies, in the order of their dependencies.
// Then waits until it all runs and, where it was healthy, is healthy. What did not run is made
// anew, not started, when it is gone. Safe to repeat; does nothing when it all runs already.
void settle_noted(const Call& call, const std::vector<Container>& noted,
                  const WaitOptions& options);

}  // namespace drydock::compose
