// What an environment's Drydock said of itself, its host and the deployment before a rollout
// begins, and what of it stands in the way.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline.h"
#include "rollout_answer.h"
#include "rollout_drift.h"
#include "rollout_schedule.h"

namespace drydock {

struct HostStage {
  std::string plugin, version, sha256, file;
};

// Of one environment.
struct HostReport {
  bool asked = false;
  std::optional<Obstacle> obstacle;  // why there is no answer
  std::string problem;               // what Drydock there said instead of one
  std::string version, interrupted, half_done;
  std::int64_t protocol = 0;
  std::optional<std::int64_t> free_bytes;
  std::chrono::milliseconds clock_ahead{0};  // of ours, beyond the time that the question took
  std::map<std::string, HostStage> stages;
  std::vector<std::string> broken_plugins;
  FoundEnvironment found;
};

// Of the answer to `drydock status --installation --json`, which was asked for and came at these
// times.
HostReport read_host_report(const RolloutTarget& target, const std::string& printed,
                            const ChildEvent& ended, Instant asked, Instant answered);

// What a pipeline needs, and what this machine has.
struct Expected {
  std::string version;
  std::map<std::string, HostStage> stages;  // the types that the pipeline uses
  std::map<std::string, PluginPin> pins;    // by plugin
};
Expected expected_of(const Pipeline& pipeline, const PluginIndex& plugins);

struct HostFindings {
  std::vector<std::string> refusals, warnings;  // sentences about one environment
  bool unreachable = false;                     // its link only: it may come back
};
HostFindings judge(const RolloutTarget& target, const HostReport& report, const Expected& expected);

// Adds what there is to say of an environment that is other than a rollout has left it.
void judge_drift(const HostReport& report, const KnownEnvironment& known, Drift policy,
                 HostFindings& findings);

nlohmann::json to_json(const HostReport& report, const HostFindings& findings);

}  // namespace drydock
