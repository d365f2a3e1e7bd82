// The revisions at which a migration has to arrive, and the sentence for a database that is not
// there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "script_reader.h"

namespace drydock::alembic {

// nullopt: the migrator is a command of this machine.
std::optional<MigratorService> service_of(const Call&);
// Unknown, too, while the service's image is not there.
Scripts scripts_of(const Call&, const std::optional<MigratorService>&);

// Into a note: from the scripts themselves where they can be read, else Alembic is asked, which
// starts the application. That they cannot be found matters only to who then asks for them.
void remember_heads(const Call&, const Scripts&);
// The noted ones; where there are none Alembic is asked (again).
std::vector<std::string> known_heads(const Call&);

// Why the database is not where the scripts end, in one sentence.
std::string mismatch(const Call&, const MigratedDatabase&, const Revisions& found,
                     const std::vector<std::string>& heads);

}  // namespace drydock::alembic
