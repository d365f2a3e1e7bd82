// What a migration needs to be allowed, asked before it runs: else it fails half way.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "table_sizes.h"

namespace drydock::alembic {

// Throws Failed when the application may not do what the pending revisions do, where it is known as
// whom it connects (by `database.role`, or because the same connection is used for the questions);
// where that is a guess, warns. Warns as well of what Drydock itself cannot do or see.
void check_rights(const Call&, const MigratedDatabase&, const PendingTables&);

}  // namespace drydock::alembic
