// The merge that the stage's options ask for.
#pragma once

#include <drydock/stage.hpp>

#include "merge.h"

namespace drydock::env_sync {

// `creating`: there is no `.env` yet. Makes new secrets each time. Throws BadOptions.
MergeOptions read_options(const Call& call, bool creating);

}  // namespace drydock::env_sync
