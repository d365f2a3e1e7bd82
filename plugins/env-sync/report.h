// What plan says of a merge.
#pragma once

#include <drydock/stage.hpp>

#include "sync.h"

namespace drydock::env_sync {

// One change for the file, then one for each variable that has something to say, the most important
// first. `writes`: the file would be another.
void report(Call& call, const Sync& sync, bool existed, bool writes);

// All about one variable: what becomes of it and why, and what each file says. Throws Failed when
// none knows it.
void explain(Call& call, const Sync& sync, const std::string& key);

// "587 unchanged, 3 adopted, 16 added, 1 in conflict; base .env.example of the last snapshot: 587
// of 591 match"
std::string totals(const Sync& sync);

}  // namespace drydock::env_sync
