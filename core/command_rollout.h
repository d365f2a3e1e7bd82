// What the actions of `drydock rollout` share.
#pragma once

#include "rollout_plan.h"
#include "rollout_survey.h"
#include "workbench.h"

namespace drydock {

struct CheckedRollout {
  Rollout rollout;
  RolloutPlan plan;
};
// The rollout of a file, checked as a whole: its waves, its pipeline, its gates. Throws Error.
CheckedRollout checked_rollout(Workbench& bench, const std::string& file);

// `surveyed` is empty when nobody was asked.
void print_rollout_plan(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed);

// The actions but `plan`.
ExitCode rollout_run(const Arguments& arguments);
ExitCode rollout_status(const Arguments& arguments);
ExitCode rollout_approve(const Arguments& arguments);
ExitCode rollout_resume(const Arguments& arguments);

// `drydock validate ROLLOUT.yaml`
ExitCode validate_rollout(const Arguments& arguments, const std::string& file);

}  // namespace drydock
