// A rollout's plan for people and as a document.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "rollout_host_survey.h"
#include "rollout_plan.h"
#include "rollout_survey.h"
#include "view_text.h"

namespace drydock {

// `surveyed` is empty when nobody was asked, else it has one for each target. Of variables what the
// masker knows is masked, too.
Lines rollout_plan_lines(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed,
                         const Masker& masker, const ViewStyle& style);
nlohmann::json rollout_plan_document(const RolloutPlan& plan,
                                     const std::vector<TargetPlan>& surveyed,
                                     const HostSurvey& hosts, const Masker& masker);

// "soak 10 min 00 s, gate http-check, approval": what must hold before the next wave. "": nothing.
std::string conditions_text(const RolloutWave& wave);

}  // namespace drydock
