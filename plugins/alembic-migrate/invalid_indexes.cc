#include "invalid_indexes.h"

#include <algorithm>

namespace drydock::alembic {
namespace {

constexpr auto indexes_note = "invalid_indexes";

// Not those of partitioned tables ('I'), which are invalid until all partitions have theirs.
Rows invalid_indexes(const Call& call, const MigratedDatabase& database) {
  if (!database.on_postgres()) return {};
  return query(call, database.server, database.name,
               "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i"
               " JOIN pg_class c ON c.oid = i.indexrelid"
               " JOIN pg_namespace n ON n.oid = c.relnamespace"
               " WHERE NOT i.indisvalid AND c.relkind = 'i'"
               " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1;");
}

}  // namespace

void note_invalid_indexes(const Call& call, const MigratedDatabase& database) {
  if (call.recall(indexes_note)) return;  // an attempt before this one may have left some
  std::string names;
  for (const std::string& one : invalid_indexes(call, database)) names += one + "\n";
  call.remember(indexes_note, names);
}

void check_indexes(const Call& call, const MigratedDatabase& database) {
  const std::string noted = "\n" + call.recall(indexes_note).value_or("");
  std::string left;
  for (const std::string& one : invalid_indexes(call, database)) {
    if (noted.find("\n" + one + "\n") == std::string::npos) {
      left += (left.empty() ? "" : ", ") + one;
      continue;
    }
    call.warn("index " + one + " of database " + database.name +
              " is INVALID, as it was before the migration: `REINDEX INDEX CONCURRENTLY " + one +
              "` repairs it");
  }
  if (left.empty()) return;
  throw Failed("the migration left INVALID indexes in database " + database.name + " (" + left +
               "): a CREATE INDEX CONCURRENTLY of it failed; repair them with `REINDEX INDEX "
               "CONCURRENTLY`, or drop them and let the migration make them again");
}

}  // namespace drydock::alembic
