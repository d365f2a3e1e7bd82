// How every environment of a rollout is now, asked of each: `rollout status --all`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cancellation.h"
#include "rollout_drift.h"
#include "rollout_host.h"
#include "rollout_progress.h"
#include "rollout_store.h"
#include "secrets.h"
#include "view_text.h"

namespace drydock {

struct EnvironmentOverview {
  std::string problem;  // why nothing is known; "": it has answered
  FoundEnvironment found;
  std::string drift;   // "": as a rollout left it, or none ever did
  std::string backup;  // when its newest one was taken; "": it has none
};

// One for each target; several at a time. What their journals tell of runs that the store does not
// know, such as those that were started by hand, is added to it. Changes nothing on an environment.
// Throws Error when it is cancelled.
std::vector<EnvironmentOverview> overview_of(const RolloutPlan& plan, RolloutStore& store,
                                             const Hosts& hosts, const Masker& masker,
                                             SurveyProgress& progress,
                                             const Cancellation& cancellation);

// now: milliseconds since the epoch.
Lines overview_lines(const RolloutPlan& plan, const std::vector<EnvironmentOverview>& environments,
                     std::int64_t now, const ViewStyle& style);
nlohmann::json overview_document(const RolloutPlan& plan,
                                 const std::vector<EnvironmentOverview>& environments,
                                 std::int64_t now);

}  // namespace drydock
