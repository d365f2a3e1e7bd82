#include "version_table_lock.h"

namespace drydock::alembic {
namespace {

constexpr auto locked_table = "alembic_version";
constexpr auto table_poll_interval = std::chrono::milliseconds(50);
constexpr int tries = 5;  // each of which waits for a second at most

Rows tables_of(const Call& call, const MigratedDatabase& database) {
  if (!database.on_postgres()) return {};
  return query(call, database.server, database.name,
               "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n"
               " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'"
               " AND c.relname = " +
                   quoted_literal(locked_table) + " ORDER BY 1;");
}

bool has_table(const Call& call, const MigratedDatabase& database, const Rows& tables) {
  if (!database.mariadb) return !tables.empty();
  return !query(call, *database.mariadb, "",
                "SELECT 1 FROM information_schema.tables WHERE table_name = " +
                    mariadb_literal(locked_table) + " AND BINARY table_schema = BINARY " +
                    mariadb_literal(database.name))
              .empty();
}

// The weaker lock first: back to it leads a savepoint, with no moment in between without any.
std::string postgres_statements(const std::string& session, const Rows& tables) {
  std::string list;
  for (const std::string& one : tables) list += (list.empty() ? "" : ", ") + one;
  return "SET application_name = " + quoted_literal(session) +
         ";\n"
         "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout',"
         " 'idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')"
         " \\g /dev/null\n"
         "SET lock_timeout = '1s';\nBEGIN;\nLOCK TABLE " +
         list + " IN EXCLUSIVE MODE;\nSAVEPOINT readable;\nLOCK TABLE " + list +
         " IN ACCESS EXCLUSIVE MODE;\n";
}

// That it has got so far, the lock with the session's name tells: the server names no sessions.
std::string mariadb_statements(const std::string& session) {
  return "SET SESSION wait_timeout = 2147483;\nSET SESSION lock_wait_timeout = 1;\nLOCK TABLES " +
         mariadb_identifier(locked_table) + " WRITE;\nSELECT GET_LOCK(" + mariadb_literal(session) +
         ", 0);\n";
}

}  // namespace

VersionTableLock::VersionTableLock(const Call& call, const MigratedDatabase& database,
                                   const std::string& session)
    : call_(call), database_(database), name_(session), tables_(tables_of(call, database)) {
  if (!database.sqlite.empty() || !has_table(call, database, tables_)) return;
  const std::string statements =
      database.mariadb ? mariadb_statements(name_) : postgres_statements(name_, tables_);
  for (int i = 0; i < tries; ++i) {
    if (try_to_lock(statements)) return;
    pause(call, std::chrono::milliseconds(200));
  }
  throw Failed("the table " + std::string(locked_table) + " of database " + database.name + " of " +
               database.place() + " cannot be locked for the rehearsal: " + why_ +
               "; who uses it holds it for longer than a second: repeat when that has ended");
}

bool VersionTableLock::try_to_lock(const std::string& statements) {
  session_.emplace(call_, client(), statements);
  while (!session_->ended()) {
    if (is_locked()) {
      session_->has_begun();
      return true;
    }
    pause(call_, table_poll_interval);
  }
  const Captured& ended = session_->end();
  why_ = ended.err.empty()   ? ended.exit.describe()
         : database_.mariadb ? mariadb_error(ended.err)
                             : client_error(ended.err);
  session_.reset();
  return false;
}

Process VersionTableLock::client() const {
  if (database_.mariadb) {
    return mariadb_command(
        *database_.mariadb, database_.mariadb->client(),
        {"--batch", "--skip-column-names", "--unbuffered", "--database=" + database_.name});
  }
  return postgres_client(database_.server, "psql", database_.name,
                         {"--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"});
}

bool VersionTableLock::is_locked() const {
  if (database_.mariadb) {
    return query(call_, *database_.mariadb, "",
                 "SELECT IS_USED_LOCK(" + mariadb_literal(name_) + ") IS NOT NULL")
               .at(0)
               .at(0) == "1";
  }
  const Rows held =
      query(call_, database_.server, database_.name,
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.locktype = 'relation'"
            " AND a.application_name = " +
                quoted_literal(name_) + ";");
  return held.at(0) == std::to_string(tables_.size());
}

void VersionTableLock::let_read() {
  if (!session_) return;
  session_->tell(database_.mariadb ? "UNLOCK TABLES;\nLOCK TABLES " +
                                         mariadb_identifier(locked_table) + " READ;\n"
                                   : std::string("ROLLBACK TO SAVEPOINT readable;\n"));
}

}  // namespace drydock::alembic
