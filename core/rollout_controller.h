// Gates and notifications: single stages that run on this machine, as pipelines of their own.
#pragma once

#include <map>
#include <string>

#include "rollout_plan.h"

namespace drydock {

// What such a stage can refer to as ${{ vars.NAME }}.
struct ControllerVars {
  std::string rollout, wave, status;  // status: "ended" (of a gate), "waits", "passed" or "failed"
  std::size_t environments = 0, failed = 0;
};

// Around the stage: its variables, and those secrets of the rollout's pipeline that this machine
// can read.
Pipeline controller_pipeline(const StageSpec& stage, const Pipeline& pipeline);

// The text of that pipeline, with values for its variables.
std::string controller_pipeline_text(const ControllerStage& stage, const ControllerVars& vars,
                                     const std::map<std::string, SecretSource>& secrets);

// The pipeline's secrets but those of a deployment's `.env`.
std::map<std::string, SecretSource> controller_secrets(const Pipeline& pipeline);

}  // namespace drydock
