// The tables of rollouts, and the views that dashboards read (docs/rollouts.md).
#pragma once

#include "rollout_database.h"

namespace drydock {

// Makes them where they are missing; of several that come at once one does. Throws DatabaseFailure;
// Error for the tables of a newer Drydock.
void prepare_rollout_tables(RolloutDatabase& database);

}  // namespace drydock
