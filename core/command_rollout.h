// What the actions of `drydock rollout` share.
#pragma once

#include "rollout_place.h"
#include "rollout_plan.h"
#include "rollout_store.h"
#include "rollout_survey.h"
#include "workbench.h"

namespace drydock {

struct CheckedRollout {
  Rollout rollout;
  PluginIndex plugins;
  RolloutPlan plan;
  Pipeline pipeline;
  Expected expected;  // of the environments
};
// The rollout of a file, checked as a whole: its waves, its pipeline, its gates. The masker knows
// its secret variables from here on. Throws Error.
CheckedRollout checked_rollout(Workbench& bench, const std::string& file);

// `surveyed` is empty when nobody was asked.
void print_rollout_plan(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed,
                        const Masker& masker);

// What other hosts get of the pipeline; nullopt: there is no other host. Throws Error.
std::optional<SentPipeline> pipeline_for_hosts(const RolloutPlan& plan, const Pipeline& pipeline);
// The positions of all targets.
std::vector<std::size_t> all_targets(const RolloutPlan& plan);
// What rollouts have left of each target. `store`: null where there was none yet.
KnownEnvironments known_environments(const RolloutStore* store, const RolloutPlan& plan);
// How long their runs are likely to take, from those that are known.
void learn_durations(const RolloutStore& store, const RolloutPlan& plan,
                     std::vector<TargetPlan>& surveyed);
void print_host_survey(const RolloutPlan& plan, const HostSurvey& survey);

// What there is to say once it has ended or waits.
void print_end(Workbench& bench, RolloutStore& store, const RolloutRecord& record,
               const RolloutCommands& commands);

// Puts the wave back, as `rollout rollback` asks for it, from wherever that stands. Throws Error.
ExitCode put_back(Workbench& bench, const FoundRollout& found, std::size_t wave);

// The actions but `plan`.
ExitCode rollout_run(const Arguments& arguments);
ExitCode rollout_status(const Arguments& arguments);
ExitCode rollout_approve(const Arguments& arguments);
ExitCode rollout_resume(const Arguments& arguments);
ExitCode rollout_rollback(const Arguments& arguments);
ExitCode rollout_history(const Arguments& arguments);

// `drydock validate ROLLOUT.yaml`
ExitCode validate_rollout(const Arguments& arguments, const std::string& file);

}  // namespace drydock
