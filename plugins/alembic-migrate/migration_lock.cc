#include "migration_lock.h"

#include <unistd.h>

#include <regex>

#include "mariadb_lock_wait.h"
#include "mariadb_sessions.h"
#include "migrator.h"

namespace drydock::alembic {
namespace {

constexpr auto lock_poll_interval = std::chrono::milliseconds(50);

// Advisory locks belong to one database; the number only has to differ from the application's own.
const std::string lock_key = "7238510471205021794";
const std::string holds_the_lock =
    " FROM pg_stat_activity JOIN pg_locks l USING (pid) WHERE l.locktype = 'advisory'"
    " AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database()) AND (l.classid::bigint << 32) | l.objid::bigint = " +
    lock_key;
const std::string session_columns =
    "SELECT pid, application_name, to_char(backend_start AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD HH24:MI:SS'), coalesce(substring(query FROM '/\\* (.*?) \\*/'), '')";

// In a comment of the statement, where pg_stat_activity shows it to whoever is refused.
std::string holder(const Call& call) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string text =
      "run " + std::to_string(call.run_id()) + " of " + call.deployment_dir() + " on " + host;
  return std::regex_replace(text, std::regex(R"([*\\\n:])"), "?");  // ':': SOCI sees a parameter
}

const std::string no_timeouts =
    "SELECT set_config(name, '0', false) FROM pg_settings"
    " WHERE name IN ('idle_session_timeout', 'statement_timeout')";

std::string try_to_lock(const Call& call) {
  return "SELECT /* " + holder(call) + " */ pg_try_advisory_lock(" + lock_key + ") AS taken";
}

std::string postgres_statements(const Call& call, const std::string& session) {
  return "SET application_name = " + quoted_literal(session) + ";\n" + no_timeouts +
         " \\g /dev/null\n" + try_to_lock(call) +
         " \\gset\n"
         "\\if :taken\n\\else\n\\quit\n\\endif\n";
}

std::string described(const std::string& row) {
  const std::vector<std::string> column = fields(row);
  const std::string& by = column.at(3);
  return (by.empty() ? "session " + column.at(1) : by) + " (pid " + column.at(0) + ", since " +
         column.at(2) + " UTC)";
}

}  // namespace

MigrationLock::MigrationLock(const Call& call, const MigratedDatabase& database)
    : call_(call), database_(database) {
  if (!database.sqlite.empty()) return;
  const std::string session = container_name(call, "lock");
  note_session(call, session);
  if (database.direct) {
    take_directly(session);
  } else if (database.mariadb) {
    take_on_mariadb(session);
  } else {
    take_on_postgres(session);
  }
}

// Whether it is taken is asked of the server by another session.
void MigrationLock::take_on_postgres(const std::string& session) {
  session_.emplace(
      call_,
      postgres_client(database_.server, "psql", database_.name,
                      {"--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"}),
      postgres_statements(call_, session));
  const std::string mine =
      "SELECT pid" + holds_the_lock + " AND application_name = " + quoted_literal(session) + ";";
  while (!session_->ended() && query(call_, database_.server, database_.name, mine).empty()) {
    pause(call_, lock_poll_interval);
  }
  session_->has_begun();
  if (!session_->ended()) return refuse_other_migrators();
  if (!session_->end().exit.ok()) cannot_lock();
  refuse_postgres_holder();
}

void MigrationLock::refuse_postgres_holder() const {
  const Rows holders =
      query(call_, database_.server, database_.name, session_columns + holds_the_lock + ";");
  refuse(holders.empty() ? "a session that has just ended" : described(holders.front()));
}

// By a connection of this process, which ends with it.
void MigrationLock::take_directly(const std::string& session) {
  direct_ = database_.direct->open();
  const auto ask = [&](const std::string& sql) {
    const std::vector<DirectSession::Row> rows = direct_->query(sql);
    return rows.empty() || rows[0].empty() ? std::string() : rows[0][0].value_or("");
  };
  if (!database_.mariadb) {
    ask("SELECT set_config('application_name', " + quoted_literal(session) + ", false)");
    ask(no_timeouts);
    if (ask(try_to_lock(call_)) != "t") refuse_postgres_holder();
    return refuse_other_migrators();
  }
  const std::string lock = mariadb_migration_lock(database_.name);
  direct_->execute("SET SESSION wait_timeout = 2147483");
  // The second by which a rollback finds the session.
  if (ask("SELECT GET_LOCK(" + lock + ", 0)") != "1") {
    refuse_mariadb_holder(ask("SELECT IS_USED_LOCK(" + lock + ")"));
  }
  ask("SELECT GET_LOCK(" + mariadb_literal(lock_waits_lock) + ", 0)");
  ask("SELECT GET_LOCK(" + mariadb_literal(session) + ", 0)");
}

// With a second lock, of a name of its own, that it takes after it has tried to take the first one:
// the server does not name its sessions. (MySQL keeps several locks of a session since 5.7.)
void MigrationLock::take_on_mariadb(const std::string& session) {
  const MariadbServer& server = *database_.mariadb;
  const std::string lock = mariadb_migration_lock(database_.name);
  session_.emplace(call_,
                   mariadb_command(server, server.client(),
                                   {"--batch", "--skip-column-names", "--unbuffered",
                                    "--database=" + database_.name}),
                   "SET SESSION wait_timeout = 2147483;\nSELECT GET_LOCK(" + lock +
                       ", 0);\nSELECT GET_LOCK(" + mariadb_literal(lock_waits_lock) +
                       ", 0);\nSELECT GET_LOCK(" + mariadb_literal(session) + ", 0);\n");
  const std::string who =
      "SELECT IS_USED_LOCK(" + lock + "), IS_USED_LOCK(" + mariadb_literal(session) + ")";
  for (;;) {
    if (session_->ended()) cannot_lock();
    const MariadbRow owners = query(call_, server, database_.name, who).at(0);
    if (owners.at(1) == "NULL") {
      pause(call_, lock_poll_interval);
      continue;
    }
    session_->has_begun();
    if (owners.at(0) == owners.at(1)) return;
    refuse_mariadb_holder(owners.at(0));
  }
}

void MigrationLock::refuse_mariadb_holder(const std::string& connection) const {
  const bool gone = connection.empty() || connection == "NULL";
  const MariadbRows holders =
      query(call_, *database_.mariadb, database_.name,
            "SELECT id, user, host, time FROM information_schema.processlist WHERE id = " +
                (gone ? "0" : connection));
  // Of other users it is seen with the privilege PROCESS only.
  if (holders.empty())
    refuse(gone ? "a connection that has just ended" : "connection " + connection);
  const MariadbRow& one = holders.front();
  refuse("connection " + one.at(0) + " of " + one.at(1) + " from " + one.at(2) + ", for " +
         one.at(3) + " s");
}

void MigrationLock::cannot_lock() {
  throw Failed("cannot lock database " + database_.name + " of " + database_.place() +
               " for the migration: " + why(session_->end()));
}

std::string MigrationLock::why(const Captured& ended) const {
  if (ended.err.empty()) return ended.exit.describe();
  return database_.mariadb ? mariadb_error(ended.err) : client_error(ended.err);
}

void MigrationLock::refuse(const std::string& holder) const {
  throw Failed("another migrator is at work on database " + database_.name +
               ": its lock is held by " + holder + "; repeat when that has ended");
}

// A drydock that was killed has lost its lock, while its migrator may still be at work.
void MigrationLock::refuse_other_migrators() const {
  const Rows others =
      query(call_, database_.server, database_.name,
            session_columns +
                " FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name ~ '^drydock-.*-migrate[0-9]*-[0-9a-f]{8}-[0-9]+-[0-9]+$';");
  if (others.empty()) return;
  const std::vector<std::string> column = fields(others.front());
  throw Failed("the migrator " + column.at(1) +
               " of another, interrupted run is still at work on database " + database_.name +
               " (pid " + column.at(0) + ", since " + column.at(2) +
               " UTC); roll that run back, or wait until it has ended");
}

// Why the session that held the lock ended by itself; "": it has not.
std::string MigrationLock::end() {
  if (direct_) {
    try {
      direct_->query("SELECT 1");
    } catch (const Failed& e) {
      return e.what();
    }
    direct_.reset();
    return "";
  }
  const bool early = session_->ended();
  const Captured& ended = session_->end();
  return early ? why(ended) : "";
}

void MigrationLock::release() {
  if (!session_ && !direct_) return;
  const std::string early = end();
  if (!early.empty()) {
    call_.warn("the session that kept other migrators away from database " + database_.name +
               " ended before the migration did (" + early + ")");
  }
}

}  // namespace drydock::alembic
