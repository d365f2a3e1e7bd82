#include "open_transactions.h"

#include "mariadb_server.h"

namespace drydock::alembic {
namespace {

// Sessions of this machine's drydock hold no table.
const char* const query_begin = R"sql(
SELECT * FROM (
  SELECT a.pid, a.usename, coalesce(a.application_name, ''), coalesce(a.state, ''),
    extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS seconds,
    (SELECT string_agg(DISTINCT c.relname, ', ')
     FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
       JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE l.pid = a.pid AND l.granted AND l.database = a.datid AND c.relkind IN ('r', 'p', 'm')
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_') AS tables
  FROM pg_stat_activity a
  WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
    AND a.backend_type = 'client backend'
    AND a.xact_start < clock_timestamp() - interval ')sql";

// Which tables they hold is told by no server without further plugins. Without the privilege
// PROCESS there is nothing to see, which `plan` says.
std::vector<std::string> mariadb_transactions(const Call& call, const MigratedDatabase& database,
                                              std::chrono::milliseconds age) {
  std::vector<std::string> found;
  MariadbRows rows;
  try {
    rows = query(call, *database.mariadb, "",
                 "SELECT p.id, p.user, p.host, p.command,"
                 " TIMESTAMPDIFF(SECOND, t.trx_started, NOW())"
                 " FROM information_schema.innodb_trx t JOIN information_schema.processlist p"
                 " ON p.id = t.trx_mysql_thread_id WHERE p.id <> CONNECTION_ID() AND p.db = " +
                     mariadb_literal(database.name) + " AND t.trx_started <= NOW() - INTERVAL " +
                     std::to_string(age.count() / 1000) + " SECOND ORDER BY t.trx_started");
  } catch (const Failed& e) {
    call.debug(e.what());
    return found;
  }
  for (const MariadbRow& row : rows) {
    found.push_back("connection " + row.at(0) + " of user " + row.at(1) + " from " + row.at(2) +
                    ", " + row.at(3) + ", open for " + row.at(4) + " s");
  }
  return found;
}

}  // namespace

std::vector<std::string> open_transactions(const Call& call, const MigratedDatabase& database,
                                           std::chrono::milliseconds age) {
  if (database.mariadb) return mariadb_transactions(call, database, age);
  std::vector<std::string> found;
  if (!database.on_postgres()) return found;
  for (const std::string& row :
       query(call, database.server, database.name,
             query_begin + std::to_string(age.count()) +
                 " milliseconds') t WHERE tables IS NOT NULL ORDER BY seconds DESC;")) {
    const std::vector<std::string> column = fields(row);
    found.push_back("pid " + column.at(0) + " of user " + column.at(1) +
                    (column.at(2).empty() ? "" : " (" + column.at(2) + ")") + ", " + column.at(3) +
                    ", open for " + column.at(4) + " s, holds " + column.at(5));
  }
  return found;
}

std::vector<std::string> long_transactions(const Call& call, const MigratedDatabase& database) {
  const std::string option = call.text("/long_transactions");
  if (option.empty() || option == "ignore") return {};
  return open_transactions(call, database, call.duration("/long_after"));
}

}  // namespace drydock::alembic
