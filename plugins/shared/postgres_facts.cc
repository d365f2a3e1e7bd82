#include "postgres_facts.h"

#include "digest.h"

namespace drydock {

namespace {

// to_jsonb(row)->>'column' reads columns that older servers lack. From the last column casts,
// parentheses and blanks are taken out: what a restore may write differently.
const char* const structure = R"sql(
WITH space AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname <> 'information_schema' AND nspname !~ '^pg_(catalog|toast|temp)'
), relation AS (
  SELECT c.oid, c.relname, c.relkind, s.nspname, format('%I.%I', s.nspname, c.relname) AS name
  FROM pg_class c JOIN space s ON s.oid = c.relnamespace
), line(kind, name, detail, expression) AS (
  SELECT 'relation', name, relkind::text, '' FROM relation WHERE relkind NOT IN ('i', 'I')
  UNION ALL
  SELECT 'column', r.name || '.' || a.attname,
    concat_ws(' ', row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
      format_type(a.atttypid, a.atttypmod), a.attnotnull,
      to_jsonb(a)->>'attidentity', to_jsonb(a)->>'attgenerated'),
    pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a JOIN relation r ON r.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  UNION ALL
  SELECT 'index', format('%I.%I', r.nspname, r.relname), i.indisvalid::text,
    pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN relation r ON r.oid = i.indexrelid
  UNION ALL
  SELECT 'constraint', coalesce(r.name, '') || '.' || k.conname,
    k.contype::text || ' ' || k.convalidated, pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN space s ON s.oid = k.connamespace
    LEFT JOIN relation r ON r.oid = k.conrelid
  UNION ALL
  SELECT 'view', name, '', pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')
  UNION ALL
  SELECT 'trigger', r.name || '.' || t.tgname, t.tgenabled::text, pg_get_triggerdef(t.oid)
  FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION ALL
  SELECT 'function', format('%I.%I(%s)', s.nspname, p.proname,
    pg_get_function_identity_arguments(p.oid)), md5(p.prosrc), ''
  FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass
                    AND e.objid = p.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'enum', format('%I.%I', s.nspname, t.typname),
    string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder), ''
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN space s ON s.oid = t.typnamespace
  GROUP BY s.nspname, t.typname
  UNION ALL
  SELECT 'extension', extname, '', '' FROM pg_extension
)
SELECT concat_ws(' ', kind, name, replace(detail, E'\n', ' '), regexp_replace(expression,
  '::("[^"]*"|[a-z_][a-z0-9_ .]*(\([0-9, ]+\))?)(\[\])*|[()\s]', '', 'g')) COLLATE "C" AS text
FROM line ORDER BY text;
)sql";

// The first row says that the table is there; the statements that psql then runs (\gexec) read it
// in each schema that has one.
std::string version_tables(const std::string& version_table) {
  return "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
         " WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND c.relname = " +
         quoted_literal(version_table);
}
const std::string read_version_tables =
    "SELECT format('SELECT version_num FROM %I.%I ORDER BY 1', n.nspname, c.relname) ";

std::string revisions_sql(const std::string& version_table) {
  const std::string tables = version_tables(version_table);
  return "SELECT count(*) " + tables + ";\n" + read_version_tables + tables +
         " ORDER BY n.nspname\n\\gexec";
}

// Without psql, who would run what a query made.
Revisions direct_revisions(const PostgresServer& server, const std::string& database,
                           const std::string& version_table) {
  const Rows reading = server.direct(
      database, read_version_tables + version_tables(version_table) + " ORDER BY n.nspname");
  if (reading.empty()) return std::nullopt;
  std::vector<std::string> revisions;
  for (const std::string& sql : reading) {
    for (std::string& one : server.direct(database, sql)) revisions.push_back(std::move(one));
  }
  return revisions;
}

Revisions revisions_of(Rows rows) {
  if (rows.empty() || rows.front() == "0") return std::nullopt;
  rows.erase(rows.begin());
  return rows;
}

std::string hash_of(const Rows& lines) {
  Sha256 hash;
  for (const std::string& line : lines) hash.update(line + "\n");
  return hash.finish_hex();
}

std::string rows_sql(std::int64_t database_bytes) {
  // As a dump writes it, without the schema that nearly all tables are in.
  const std::string name =
      "format(CASE n.nspname WHEN 'public' THEN '%2$I' ELSE '%1$I.%2$I' END, n.nspname, c.relname)";
  const std::string tables =
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
      " ORDER BY n.nspname, c.relname";
  if (database_bytes >= count_rows_below) {
    return "SELECT " + name + " || '~' || greatest(c.reltuples, 0)::bigint" + tables + ";";
  }
  return "SELECT format('SELECT %L || count(*) FROM %I.%I', " + name +
         " || '=', n.nspname, c.relname)" + tables + "\n\\gexec";
}

}  // namespace

DatabaseFacts database_facts(const Call& call, const PostgresServer& server,
                             const std::string& database, std::int64_t bytes) {
  return facts_of(query_all(call, server, database, facts_queries(bytes)));
}

std::vector<std::string> facts_queries(std::int64_t bytes) {
  std::vector<std::string> queries = {revisions_sql("alembic_version"), structure};
  if (bytes >= 0) queries.push_back(rows_sql(bytes));
  return queries;
}

DatabaseFacts facts_of(const std::vector<Rows>& answers) {
  DatabaseFacts facts{hash_of(answers.at(1)), revisions_of(answers.at(0)), ""};
  if (answers.size() < 3) return facts;
  for (const std::string& row : answers[2]) facts.rows += (facts.rows.empty() ? "" : ", ") + row;
  if (facts.rows.empty()) facts.rows = "no tables";
  return facts;
}

Revisions alembic_revisions(const Call& call, const PostgresServer& server,
                            const std::string& database, const std::string& version_table) {
  if (server.direct) return direct_revisions(server, database, version_table);
  return revisions_of(query(call, server, database, revisions_sql(version_table)));
}

}  // namespace drydock
