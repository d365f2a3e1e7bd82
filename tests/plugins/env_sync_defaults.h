// What env-sync merges with when a pipeline says nothing else: the defaults of its schema.
#pragma once

#include <nlohmann/json.hpp>

#include "env_sync_stage.h"
#include "merge.h"

namespace drydock::env_sync {

inline MergeOptions default_options() {
  const auto properties = nlohmann::json::parse(EnvSync::options).at("properties");
  MergeOptions options;
  properties.at("sticky").at("default").get_to(options.sticky);
  properties.at("linked").at("default").get_to(options.linked);
  return options;
}

}  // namespace drydock::env_sync
