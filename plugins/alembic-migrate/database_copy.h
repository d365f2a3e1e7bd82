// A copy of the migrated database, made for a rehearsal on the same server, or beside the same
// file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// Table -> rows.
using RowCounts = std::map<std::string, std::uint64_t>;

// "app_rehearsal_1f6a8c73_12": a name that only a rehearsal of this stage, in this run, has.
std::string copy_name(const Call&, const MigratedDatabase&);
// The copy of that name as a database of its own.
MigratedDatabase copy_of(const MigratedDatabase&, const std::string& name);
// Those that this run has made and not dropped: "none", or names.
std::string copies_left(const Call&, const MigratedDatabase&);
// Drops those of other runs, which are all over: one is at work on a deployment at a time. Warns of
// what cannot be dropped.
void drop_older_copies(const Call&, const MigratedDatabase&);

std::int64_t database_bytes(const Call&, const MigratedDatabase&);

// The database is only read, by the same dump and restore that a backup is made of. Throws Failed
// when that fails, or the copy is another than what was dumped. The names of the copy and of the
// dump's session have to be noted before.
void make_copy(const Call&, const MigratedDatabase&, const MigratedDatabase& copy,
               const std::string& session);
// Ends a dump of that name whose client is gone.
void end_dump(const Call&, const MigratedDatabase&, const std::string& session);
// Ends who uses it; nothing where it is not there. Throws Failed with the statement that would do
// it.
void drop_copy(const Call&, const MigratedDatabase& copy);

// Exact, without alembic_version.
RowCounts row_counts(const Call&, const MigratedDatabase&);
// Of the tables that were there before: what a migration has made of their rows, as
// "note: 3 rows, before 5", "draft: gone, before 2 rows"; "" for nothing.
std::string row_differences(const RowCounts& before, const RowCounts& after);

// Writes the table alembic_version anew. False, with nothing changed, when there is none, or
// several schemas have one.
bool set_revisions(const Call&, const MigratedDatabase& copy,
                   const std::vector<std::string>& revisions);

}  // namespace drydock::alembic
