// Indexes that PostgreSQL keeps up but does not use: what a CREATE INDEX CONCURRENTLY that failed
// leaves behind. With IF NOT EXISTS the next migration passes over it and says nothing.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// Before the migration, so that only what it leaves counts.
void note_invalid_indexes(const Call&, const MigratedDatabase&);
// Throws Failed, naming them, when there are others than those; warns of the noted ones.
void check_indexes(const Call&, const MigratedDatabase&);

}  // namespace drydock::alembic
