// A rollout's store keeps no secret: what holds one is set apart when a rollout is begun, and read
// again by whoever goes on with it.
#pragma once

#include <cstddef>
#include <vector>

#include "plugin_index.h"
#include "rollout_plan.h"
#include "secrets.h"

namespace drydock {

// Tells the masker of variables that are secret by their names, also those that the pipeline itself
// has values for, and of what stays readable: names, hosts and paths.
void learn_secrets(const RolloutPlan& plan, const Pipeline& pipeline, Masker& masker);

// Marks variables, and stages beside the environments, that hold a secret: by their names, by what
// the masker knows, as a URL with a password, or typed into an option that is secret by its schema.
void set_secrets_apart(RolloutPlan& plan, const PluginIndex& plugins, const Masker& masker);

// Of a plan out of a store: gives `targets` the variables, and waves the stages, that were set
// apart, from the rollout file as it is now, or from the command line (`vars`), which counts before
// it. Throws Error: the file does not have one any more, or `vars` has another one.
void fill_in_secrets(RolloutPlan& plan, const std::vector<std::size_t>& targets,
                     const Pipeline& pipeline, const std::vector<GivenVar>& vars, Masker& masker);

// The same for its `notify:` alone, where nothing is upgraded any more; without one from here on
// where the file does not have it any more, which is a warning.
void fill_in_notification(RolloutPlan& plan, Masker& masker);

}  // namespace drydock
