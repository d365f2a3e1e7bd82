// Starts what runs on this machine beside a rollout's environments: gates and notifications, each
// as a run of its own in the rollout file's folder.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "child_pool.h"
#include "rollout_store.h"

namespace drydock {

enum class ControllerPurpose { gate, notification };

// With a state of its own below `folder` that no other run waits for. Its lines and its end arrive
// in `pool` with `tag`; it is ended there when its time is over. status: how the wave is. Throws
// Error.
void start_controller_stage(ChildPool& pool, std::size_t tag, ControllerPurpose purpose,
                            const RolloutRecord& rollout, std::size_t wave,
                            const std::vector<TargetRecord>& targets, const std::string& status,
                            const std::string& folder, const std::vector<std::string>& plugin_dirs);

// Why such a stage did not succeed: `printed` are its lines, `event` is its end.
std::string why_controller_stage_failed(const ControllerStage& stage, const std::string& printed,
                                        const ChildEvent& event);

}  // namespace drydock
