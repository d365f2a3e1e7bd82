// Before a rollout begins every environment is asked what is there, and what would stand in the way
// later is said now.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "cancellation.h"
#include "rollout_host.h"
#include "rollout_host_report.h"
#include "rollout_progress.h"
#include "view_text.h"

namespace drydock {

// One for each target, empty for those that were not asked.
struct HostSurvey {
  std::vector<HostReport> reports;
  std::vector<HostFindings> findings;
};

// What rollouts have left of each target; nullopt: it is new to them, or nobody asks.
using KnownEnvironments = std::vector<std::optional<KnownEnvironment>>;

struct SurveyRequest {
  const Expected& expected;
  const std::vector<std::string>& plugin_dirs;  // of environments on this machine
  std::vector<std::size_t> targets;
  KnownEnvironments known = {};  // one for each target of the plan, or none
};

// Each is a login on its host.
constexpr std::size_t most_asked_at_once = 16;

// The words of Drydock that ask what is there.
std::vector<std::string> question_for(const RolloutTarget& target,
                                      const std::vector<std::string>& plugin_dirs);

// Asks those targets: many hosts at once, one question at a time for each. Changes nothing. Throws
// Error when it is cancelled.
HostSurvey survey_hosts(const RolloutPlan& plan, const Hosts& hosts, const SurveyRequest& request,
                        SurveyProgress& progress, const Cancellation& cancellation);

// What is wrong with environments of waves after this one stands in nobody's way yet, and becomes
// warnings. Returns these environments: they are to be asked again before their wave.
std::set<std::size_t> put_off_later_waves(const RolloutPlan& plan, std::size_t wave,
                                          HostSurvey& survey);

// Throws Error: an environment that a run would be refused on, or more that are away than a wave
// allows. The first sentence is the error's own, the others are its details.
void require_fit(const RolloutPlan& plan, const HostSurvey& survey);

// What there is to say, a sentence once with all environments that it is about. Empty: there is
// nothing, and all that was asked is on this machine.
Lines host_survey_lines(const RolloutPlan& plan, const HostSurvey& survey, const ViewStyle& style);

}  // namespace drydock
