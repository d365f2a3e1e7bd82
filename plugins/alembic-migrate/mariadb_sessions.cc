#include "mariadb_sessions.h"

#include <algorithm>

#include "mariadb_server.h"

namespace drydock::alembic {
namespace {

constexpr auto note = "mariadb_sessions";
constexpr auto poll_interval = std::chrono::milliseconds(100);

// How the server compares names of databases.
std::string database_literal(const std::string& database) {
  const std::string literal = mariadb_literal(database);
  return "IF(@@lower_case_table_names = 0, " + literal + ", LOWER(" + literal + "))";
}

// Columns: number, user, host, what it does, seconds, whether one of `locks` makes it ours, and who
// holds the lock of the migration ("NULL": nobody).
std::string sessions_query(const std::string& database, const std::vector<std::string>& locks,
                           const std::string& noted) {
  std::string held = "id IN (0";
  for (const std::string& one : locks) {
    held += ", coalesce(IS_USED_LOCK(" + mariadb_literal(one) + "), 0)";
  }
  held += ")";
  const std::string younger =
      noted.empty() ? ""
                    : " OR (id > " + noted +
                          " AND user NOT IN ('system user', 'event_scheduler')"
                          " AND BINARY IF(@@lower_case_table_names = 0, db, LOWER(db)) = BINARY " +
                          database_literal(database) + ")";
  return "SELECT id, user, host, command, time, " + held + ", IS_USED_LOCK(" +
         mariadb_migration_lock(database) +
         ") FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND (" + held +
         younger + ")";
}

std::string described(const MariadbRow& session) {
  return "connection " + session.at(0) + " of " + session.at(1) + " from " + session.at(2) + " (" +
         session.at(3) + " for " + session.at(4) + " s)";
}

std::string described(const MariadbRows& sessions) {
  std::string text;
  for (const MariadbRow& one : sessions) text += (text.empty() ? "" : ", ") + described(one);
  return text;
}

// The lock is another drydock's: then so may be the sessions.
void refuse_migration_of_others(const MigratedDatabase& database, const MariadbRows& sessions) {
  const std::string& holder = sessions.front().at(6);
  const bool ours = std::any_of(sessions.begin(), sessions.end(), [&](const MariadbRow& one) {
    return one.at(0) == holder && one.at(5) == "1";
  });
  if (holder == "NULL" || ours) return;
  throw Failed("cannot end what the interrupted migrator left in database " + database.name +
               " of " + database.place() +
               ": another migrator is at work there, whose lock connection " + holder +
               " holds, and the sessions are not told apart (" + described(sessions) +
               "); repeat when that has ended");
}

// "": the server has taken it, or the session has just ended (ER_NO_SUCH_THREAD).
std::string kill(const Call& call, const MariadbServer& server, const MariadbRow& session) {
  if (session.at(3) == "Killed") return "";
  try {
    execute(call, server, "", "KILL " + session.at(0));
  } catch (const Failed& e) {
    const std::string said = e.what();
    const bool gone = said.find("ERROR 1094") != std::string::npos ||
                      said.find("Unknown thread id") != std::string::npos;
    if (!gone) return said;
  }
  return "";
}

}  // namespace

std::string mariadb_migration_lock(const std::string& database) {
  return "CONCAT('drydock-', MD5(" + database_literal(database) + "))";
}

void note_mariadb_sessions(const Call& call, const MigratedDatabase& database) {
  if (!database.mariadb) return;
  call.remember(note, query(call, *database.mariadb, "", "SELECT CONNECTION_ID()").at(0).at(0));
}

void forget_mariadb_sessions(const Call& call) {
  if (!call.recall(note).value_or("").empty()) call.remember(note, "");
}

void end_mariadb_sessions(const Call& call, const MigratedDatabase& database,
                          const std::vector<std::string>& locks, std::chrono::milliseconds limit) {
  const MariadbServer& server = *database.mariadb;
  const std::string question = sessions_query(database.name, locks, call.recall(note).value_or(""));
  const auto until = std::chrono::steady_clock::now() + limit;
  for (bool first = true;; first = false) {
    const MariadbRows sessions = query(call, server, "", question);
    if (sessions.empty()) return forget_mariadb_sessions(call);
    refuse_migration_of_others(database, sessions);
    if (first) {
      call.info("ending what the migrator left in database " + database.name + ": " +
                described(sessions));
    }
    std::string refused;
    for (const MariadbRow& one : sessions) {
      const std::string said = kill(call, server, one);
      if (!said.empty()) refused = said;
    }
    if (std::chrono::steady_clock::now() >= until) {
      throw Failed("sessions of the interrupted migrator stay in database " + database.name +
                   " of " + database.place() + " after " + std::to_string(limit.count() / 1000) +
                   " s: " + described(sessions) + (refused.empty() ? "" : "; " + refused) +
                   "; end them (KILL NUMBER), or give the server more time to roll back what they "
                   "did with `wait`; then repeat");
    }
    pause(call, poll_interval);
  }
}

}  // namespace drydock::alembic
