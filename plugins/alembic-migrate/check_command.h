// What the application itself says of a migration.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// Runs the option `check` as the migrator is run: in a noted one-off container of the service, in
// place of its entrypoint, else on this machine. Throws Failed, with its last words, unless it ends
// with 0. Nothing without the option.
void run_check(const Call&, const MigratedDatabase&);

}  // namespace drydock::alembic
