#include "rehearsal_picture.h"

#include <algorithm>

#include "digest.h"
#include "sqlite_file.h"

namespace drydock::alembic {
namespace {

constexpr auto revision_note = "database/revision", schema_note = "database/schema";

// A line for whatever has a definition, but for partitions: those of a foreign key to a partitioned
// table have a constraint each as well.
const char* const postgres_structure = R"sql(
WITH space AS (
  SELECT oid FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), relation AS (
  SELECT c.oid, c.relkind, c.oid::regclass::text AS name FROM pg_class c
  WHERE c.relnamespace IN (SELECT oid FROM space) AND NOT c.relispartition
)
SELECT concat_ws(' ', 'relation', name, relkind) FROM relation WHERE relkind NOT IN ('i', 'I')
UNION ALL SELECT concat_ws(' ', 'column', r.name, a.attname, format_type(a.atttypid, a.atttypmod),
  a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN relation r ON r.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid))
FROM pg_index i JOIN relation r ON r.oid = i.indrelid
UNION ALL SELECT concat_ws(' ', 'constraint', r.name, k.conname, pg_get_constraintdef(k.oid))
FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid WHERE k.conparentid = 0
UNION ALL SELECT concat_ws(' ', 'view', name, md5(pg_get_viewdef(oid)))
FROM relation WHERE relkind IN ('v', 'm')
UNION ALL SELECT concat_ws(' ', 'trigger', t.tgenabled, md5(pg_get_triggerdef(t.oid)))
FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
UNION ALL SELECT concat_ws(' ', 'function', p.oid::regprocedure, md5(p.prosrc))
FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM space)
UNION ALL SELECT concat_ws(' ', 'enum', t.oid::regtype, md5(e.enumlabel), e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid;
)sql";

std::vector<std::string> mariadb_structure(const std::string& database) {
  const std::string in = "_schema = BINARY " + mariadb_literal(database);
  return {
      "SELECT 'table', table_name, table_type, engine, table_collation"
      " FROM information_schema.tables WHERE BINARY table" +
          in,
      "SELECT 'column', table_name, column_name, ordinal_position, column_type, is_nullable,"
      " column_default, extra, collation_name FROM information_schema.columns"
      " WHERE BINARY table" +
          in,
      "SELECT 'index', table_name, index_name, seq_in_index, column_name, non_unique, sub_part"
      " FROM information_schema.statistics WHERE BINARY table" +
          in,
      "SELECT 'key', table_name, constraint_name, ordinal_position, column_name,"
      " referenced_table_name, referenced_column_name"
      " FROM information_schema.key_column_usage WHERE BINARY table" +
          in,
      "SELECT 'view', table_name, MD5(view_definition) FROM information_schema.views"
      " WHERE BINARY table" +
          in,
      "SELECT 'trigger', trigger_name, MD5(action_statement) FROM information_schema.triggers"
      " WHERE BINARY trigger" +
          in,
      "SELECT 'routine', routine_name, MD5(routine_definition)"
      " FROM information_schema.routines WHERE BINARY routine" +
          in,
      "SELECT 'event', event_name, MD5(event_definition) FROM information_schema.events"
      " WHERE BINARY event" +
          in};
}

std::string structure(const Call& call, const MigratedDatabase& database) {
  if (!database.sqlite.empty()) {
    return sqlite_content(database.sqlite, SqliteData::structure).schema;
  }
  std::vector<std::string> lines;
  if (database.mariadb) {
    for (const MariadbRows& rows :
         query_all(call, *database.mariadb, "", mariadb_structure(database.name))) {
      for (const MariadbRow& row : rows) {
        std::string& line = lines.emplace_back();
        for (const std::string& field : row) line += field + '\0';
      }
    }
  } else {
    lines = query(call, database.server, database.name, postgres_structure);
  }
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  for (const std::string& line : lines) hash.update(line + "\n");
  return hash.finish_hex();
}

}  // namespace

void note_picture(const Call& call, const MigratedDatabase& database) {
  if (call.recall(schema_note)) return;
  call.remember(revision_note, describe(current_revisions(call, database)));
  call.remember(schema_note, structure(call, database));
}

void refuse_touched(const Call& call, const MigratedDatabase& database) {
  const auto revision = call.recall(revision_note), schema = call.recall(schema_note);
  if (!revision || !schema) return;
  const std::string is = describe(current_revisions(call, database));
  if (is == *revision && structure(call, database) == *schema) return;
  throw Failed("while its migration was rehearsed, database " + database.name +
               " itself was changed: " +
               (is == *revision ? "its structure is another than before"
                                : "its revision went from " + *revision + " to " + is) +
               ". Either somebody else has migrated it, or the migrator works on it whatever its "
               "variables say: stop what writes to it, compare it, and restore a backup "
               "(`drydock backups list`) where it was the migrator");
}

}  // namespace drydock::alembic
