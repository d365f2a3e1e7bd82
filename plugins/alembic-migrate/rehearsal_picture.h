// How the database itself stood before its migration was rehearsed, for whoever proves afterwards
// that it is still the same.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// Noted once a run: a repeated rehearsal has to find the database as the first one did.
void note_picture(const Call&, const MigratedDatabase&);

// Throws Failed when revision or structure are others than noted: the worst that a rehearsal can
// do. Partitions do not count, which jobs make and drop. Nothing when nothing is noted.
void refuse_touched(const Call&, const MigratedDatabase&);

}  // namespace drydock::alembic
