// A copy of the migrated database, made for a rehearsal on the same server, or beside the same file.
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
// Those that rehearsals of this stage have left, whatever the run: "none", or names.
std::string copies_left(const Call&, const MigratedDatabase&);

std::int64_t database_bytes(const Call&, const MigratedDatabase&);
// Throws Failed when the disk of the database may be too small for a copy that a migration then
// writes anew: twice as large. A disk that cannot be asked is left to the server.
void refuse_without_room(const Call&, const MigratedDatabase&, std::int64_t bytes);

// The database is only read, by the same dump and restore that a backup is made of. Throws Failed
// when that fails, or the copy is another than what was dumped. The name has to be noted before.
void make_copy(const Call&, const MigratedDatabase&, const MigratedDatabase& copy);
// Ends who uses it; nothing where it is not there.
void drop_copy(const Call&, const MigratedDatabase& copy);

// Exact, without alembic_version.
RowCounts row_counts(const Call&, const MigratedDatabase&);
// Of the tables that were there before: what a migration has made of their rows, as
// "note: 3 rows, before 5", "draft: gone, before 2 rows"; "" for nothing.
std::string row_differences(const RowCounts& before, const RowCounts& after);

// Structure and revision, to prove that nothing has changed.
struct Picture {
  std::string schema;
  Revisions revisions;
};
Picture picture_of(const Call&, const MigratedDatabase&);

// Writes the table alembic_version anew. False, with nothing changed, when there is none, or several
// schemas have one.
bool set_revisions(const Call&, const MigratedDatabase& copy,
                   const std::vector<std::string>& revisions);

}  // namespace drydock::alembic
