// Whether a migration has room: a table whose column gets another type stands there twice while it
// is written anew, and a server whose disk is full stops.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "table_sizes.h"

namespace drydock::alembic {

// As the option `space` says: throws Failed, or warns, when less is free than they take. Asked of
// the database's container; where that cannot be told, as of a server outside, nothing is said.
void check_space(const Call&, const MigratedDatabase&, const RewrittenTables&);

// The bytes that are free, of what `df -Pk` prints for one folder; -1: it does not say.
std::int64_t free_bytes_of_df(const std::string& printed);

}  // namespace drydock::alembic
