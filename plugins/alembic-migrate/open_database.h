// The database of a known place, ready to be asked.
#pragma once

#include "compose_types.h"
#include "database_place.h"
#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// The one that a container was told to make. Throws BadOptions where its variables do not say.
std::string database_in(const compose::Container&);

MigratedDatabase open_database(const Call&, const DatabasePlace&, const compose::Container&);
// A file, or a server outside: asked over connections of this process; for a rehearsal by this
// machine's own clients, which can copy it. Throws Failed when there are none.
MigratedDatabase open_database(const Call&, const DatabasePlace&);

}  // namespace drydock::alembic
