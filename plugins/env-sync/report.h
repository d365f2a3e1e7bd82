// What plan says of a merge.
#pragma once

#include <drydock/stage.hpp>

#include "sync.h"

namespace drydock::env_sync {

void report(Call& call, const Sync& sync, bool existed);
// "587 kept, 3 adopted, 16 added, 1 conflict; base: .env.example of the last snapshot (587 of 591
// match)"
std::string totals(const Sync& sync);

}  // namespace drydock::env_sync
