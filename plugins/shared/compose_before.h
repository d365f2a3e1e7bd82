// Which containers are from before the run.
#pragma once

#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// Those of `existing` that no earlier stage of this run made: only they are what a rollback of the
// whole run goes back to. The first stage that asks leaves the list for the later ones, in a file
// beside the stages' private folders. For `run`, before its first change.
std::vector<Container> from_before_the_run(const Call& call,
                                           const std::vector<Container>& existing);

}  // namespace drydock::compose
