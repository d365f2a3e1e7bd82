// That a migrator which is sent to a copy of a database goes there, shown before it is let loose.
#pragma once

#include <optional>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migrator.h"
#include "migrator_service.h"

namespace drydock::alembic {

// What sends the migrator to the copy, from all variables that it would see. Throws Failed where
// they do not tell.
Variables variables_of_copy(const Call&, const std::optional<MigratorService>&,
                            const MigratedDatabase&, const MigratedDatabase& copy);

// Asks the migrator's own Alembic where the database is that it works on, while the copy alone says
// that it is at the heads. Throws Failed when it names the revision of the database, and for a
// command of this machine, whose variables nobody sees, also when it names none.
void show_that_it_goes_to_the_copy(const Call&, const MigratedDatabase& copy,
                                   const Revisions& current, const std::vector<std::string>& heads,
                                   const Variables&);

}  // namespace drydock::alembic
