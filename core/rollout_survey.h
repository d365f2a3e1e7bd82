// What the plans of a rollout's environments say, asked of each by `drydock plan`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cancellation.h"
#include "rollout_host_survey.h"
#include "rollout_plan.h"
#include "rollout_progress.h"
#include "secret_commands.h"
#include "secrets.h"
#include "sent_pipeline.h"

namespace drydock {

struct TargetPlan {
  std::string problem;  // why it cannot be planned; "": it can
  bool away = false;    // since its host is
  std::int64_t changes = 0, unknown_stages = 0;
  std::vector<std::string> loses;  // what a rollback there would lose
  std::int64_t likely_ms = -1;     // how long its run takes, as history teaches; -1: not known
};

// What `drydock plan --json` printed, or why it printed nothing that can be read.
TargetPlan read_target_plan(const std::string& document, const std::string& error);

// The words that name the rollout's pipeline to the target's Drydock, with its plugins: on another
// host it is sent, and the plugins are those that are there.
std::vector<std::string> words_for(const std::string& command, const RolloutPlan& plan,
                                   const RolloutTarget& target,
                                   const std::vector<std::string>& plugin_dirs);

// What that command gets on its standard input. `commands`: those that deliver secrets, all of
// which have ended. `pipeline`: for other hosts, else null. `promoted`: by earlier waves. Throws
// Error: a secret that cannot be read.
std::string inputs_of(const RolloutTarget& target, const SecretCommands& commands,
                      const SentPipeline* pipeline, Masker& masker,
                      const nlohmann::json& promoted = nlohmann::json::object());

// One for each target. Several at a time; changes nothing. Those with an obstacle in `hosts` are
// not asked. Throws Error when it is cancelled.
std::vector<TargetPlan> survey(const RolloutPlan& plan, const Hosts& hosts,
                               const HostSurvey& host_survey, const SentPipeline* pipeline,
                               const std::vector<std::string>& plugin_dirs, Masker& masker,
                               SurveyProgress& progress, const Cancellation& cancellation);

}  // namespace drydock
