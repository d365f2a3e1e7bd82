// Whether the database is ready for a migrator: the one that the new release's files have, and
// healthy.
#pragma once

#include <optional>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migrator_service.h"

namespace drydock::alembic {

// Waits for a health check that has not passed yet, for at most the option `wait`. Throws Failed,
// with the stage to add, when it does not become healthy, and when its service is none of the files
// any more: another one would have taken its place. Nothing of what is in no container.
void refuse_unready_database(const Call&, const MigratedDatabase&,
                             const std::optional<MigratorService>&);

}  // namespace drydock::alembic
