// What the plans of a rollout's environments say, asked of each by `drydock plan`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cancellation.h"
#include "rollout_plan.h"
#include "secrets.h"

namespace drydock {

struct TargetPlan {
  bool asked = false;   // false: its host is not reached
  std::string problem;  // why it cannot be planned; "": it can
  std::int64_t changes = 0, unknown_stages = 0;
  std::vector<std::string> loses;  // what a rollback there would lose
};

// What `drydock plan --json` printed, or why it printed nothing that can be read.
TargetPlan read_target_plan(const std::string& document, const std::string& error);

// What a target's run gets on its standard input. Throws Error: a secret that cannot be read.
std::string inputs_of(const RolloutTarget& target, Masker& masker);

// One for each target. Several at a time; changes nothing. Throws Error when it is cancelled.
std::vector<TargetPlan> survey(const RolloutPlan& plan, const std::vector<std::string>& plugin_dirs,
                               Masker& masker, const Cancellation& cancellation);

}  // namespace drydock
