// How large the tables are that pending revisions name, and what that means for whoever uses them
// while the migration runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "revision_tables.h"

namespace drydock::alembic {

using PendingTables = std::vector<std::pair<std::string, RevisionTables>>;  // revision -> tables

struct TableSize {
  std::int64_t bytes = 0;  // with its indexes
  std::int64_t rows = 0;   // the server's estimate; 0: not known
};
// As the revisions name them; without those that are not there (yet). Nothing of an SQLite file,
// which keeps no such figures.
using TableSizes = std::map<std::string, TableSize>;

TableSizes table_sizes(const Call&, const MigratedDatabase&, const PendingTables&);

// "12 KiB", "1.5 GiB".
std::string bytes_text(std::int64_t bytes);
// "on notes (1.5 GiB, about 120000 rows)", "": it names none that is there.
std::string tables_text(const RevisionTables&, const TableSizes&);
// For each table of at least `large` bytes that is written anew, or kept from writers.
std::vector<std::string> table_warnings(const std::string& product, const PendingTables&,
                                        const TableSizes&, std::int64_t large);

// What takes room twice while it is written anew.
struct RewrittenTables {
  std::int64_t bytes = 0;
  std::string names;  // "notes, users"
};
RewrittenTables rewritten_tables(const PendingTables&, const TableSizes&);

}  // namespace drydock::alembic
