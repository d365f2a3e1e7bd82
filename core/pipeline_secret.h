// One entry of `secrets:`, of a pipeline and of a rollout.
#pragma once

#include <string>

#include "pipeline.h"
#include "yaml_tree.h"

namespace drydock {

// `folder`: from which a file is named. Throws Error with the place of the first problem.
SecretSource read_secret(const std::string& name, const YamlNode& node, const std::string& folder);

}  // namespace drydock
