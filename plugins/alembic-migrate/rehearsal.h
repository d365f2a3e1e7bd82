// `mode: rehearse`: the migration on a copy of the database, with the new release's image, while
// the application goes on with the database itself.
#pragma once

#include <optional>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migration_heads.h"
#include "migrator_service.h"

namespace drydock::alembic {

bool is_rehearsal(const Call&);

// What a migration's planned change is in a rehearsal of it. database: nullopt, it does not run.
Change as_rehearsal(const Call&, Change change, const std::optional<MigratedDatabase>& database);

// Copies, migrates the copy, proves that it alone was migrated, compares the rows, keeps how long
// it took, drops the copy; before that, copies which earlier ones have left. Nothing pending:
// nothing. current: of the database. Throws Failed; the copy is gone then as well, if it could be
// dropped.
void rehearse(const Call&, const MigratedDatabase&, const std::optional<MigratorService>&,
              const Scripts&, const Revisions& current);
// That the database is as it was, and the copy gone.
void verify_rehearsal(const Call&, const MigratedDatabase&);

// Drops the noted copy. Of the migrator nothing is left any more.
void end_copy(const Call&, const MigratedDatabase&);
// Of a database that does not run: what is left to be done by hand. Nothing when no copy is noted.
void refuse_copy_left(const Call&);

}  // namespace drydock::alembic
