// Where the runs of an environment are performed: how a command of Drydock gets there.
#pragma once

#include <string>
#include <vector>

#include "rollout_plan.h"

namespace drydock {

// The argument vector that performs `drydock WORDS` for the target's deployment. Its standard
// streams are those of the command.
std::vector<std::string> command_on_host(const RolloutTarget& target,
                                         const std::vector<std::string>& words);

// The same as a person would type it.
std::string command_text(const RolloutTarget& target, const std::string& words);

// Throws Error for an environment whose host this Drydock does not reach.
void require_reachable(const RolloutPlan& plan);

}  // namespace drydock
