// What a migration will do to a database, decided from values alone.
#pragma once

#include <string>
#include <vector>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "revision_graph.h"
#include "table_sizes.h"

namespace drydock::alembic {

struct MigrationQuestion {
  std::string database;     // for people
  bool running = false;     // else nobody knows what it is at
  Revisions current;        // of a running one
  bool has_tables = false;  // beside an empty alembic_version
  std::string folder;       // of the scripts
  std::string owner;        // "image sample/api:2 of service api"
  std::string target;       // what `upgrade` names; "" when that is not known
};

// Throws Failed when the table alembic_version is empty and the schema is not: a migration from the
// beginning would make tables that are there.
void refuse_lost_stamp(const MigrationQuestion&);

// From where to where, and after it each pending revision with its message, in the order in which
// they run. Throws Failed when the database has a revision that the scripts lack, or two of which
// one comes from the other, and when there are several heads and the target is not all of them.
std::vector<Change> plan_migration(const MigrationQuestion&, const RevisionGraph&);

// The tables that each pending revision names; none where the target is a revision of its own.
PendingTables pending_tables(const MigrationQuestion&, const RevisionGraph&);
// Says with each revision's change what is known of its tables.
void describe_tables(const PendingTables&, const TableSizes&, std::vector<Change>& changes);

// Whether `upgrade` goes to the heads: "" when the image's entrypoint does not say what it does.
bool ends_at_heads(const std::string& target);

// Whether the rows of the version table are exactly the heads, in any order.
bool is_at(const Revisions& rows, std::vector<std::string> heads);

}  // namespace drydock::alembic
