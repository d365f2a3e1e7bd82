// The stage's options: their schema, and the merge that they ask for.
#pragma once

#include <drydock/stage.hpp>
#include <string>

#include "merge.h"

namespace drydock::env_sync {

// JSON Schema; the defaults are those of variable_names.h.
const std::string& options_schema();

// `creating`: there is no `.env` yet. Makes new secrets each time. Throws BadOptions.
MergeOptions read_options(const Call& call, bool creating);

}  // namespace drydock::env_sync
