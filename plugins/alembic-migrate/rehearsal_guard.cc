#include "rehearsal_guard.h"

#include <algorithm>
#include <optional>

#include "migrator.h"

namespace drydock::alembic {
namespace {

// Until the migrator is seen everybody may have to wait for us; afterwards only who writes.
constexpr std::chrono::milliseconds first_look_interval{100}, look_interval{1000};

// How long somebody else may be kept waiting.
std::chrono::milliseconds longest_wait(const Call& call) {
  const auto limit = call.duration("/lock_timeout");
  return limit.count() > 0 ? limit : std::chrono::seconds(10);
}

std::string noted(const Call& call, const std::string& purpose) {
  const std::string name = container_name(call, purpose);
  note_session(call, name);
  return name;
}

// nullopt: the session that locks the table of the database is gone.
std::optional<std::vector<Waiter>> postgres_waiters(const Call& call,
                                                    const MigratedDatabase& database,
                                                    const std::string& of_database,
                                                    const std::string& of_copy,
                                                    const std::string& migrator) {
  const Rows rows =
      query(call, database.server, database.name,
            "SELECT g.application_name, coalesce(a.pid::text, ''), coalesce(a.usename, ''),"
            " coalesce(a.application_name, ''), coalesce(a.backend_start > g.backend_start, false)"
            " FROM pg_stat_activity g LEFT JOIN pg_stat_activity a ON a.wait_event_type = 'Lock'"
            " AND a.backend_type = 'client backend' AND g.pid = ANY (pg_blocking_pids(a.pid))"
            " WHERE g.application_name IN (" +
                quoted_literal(of_database) + ", " + quoted_literal(of_copy) + ");");
  std::vector<Waiter> waiters;
  bool guarded = false;
  for (const std::string& row : rows) {
    const std::vector<std::string> column = fields(row);
    const bool at_copy = column.at(0) == of_copy;
    guarded = guarded || !at_copy;
    if (column.at(1).empty()) continue;
    waiters.push_back({column[1],
                       "pid " + column[1] + " of user " + column.at(2) +
                           (column.at(3).empty() ? "" : ", " + column[3]),
                       at_copy, column[3] == migrator, column.at(4) == "t"});
  }
  if (!guarded) return std::nullopt;
  return waiters;
}

// The server names no sessions: what the migrator opens is younger than the lock.
std::optional<std::vector<Waiter>> mariadb_waiters(const Call& call,
                                                   const MigratedDatabase& database,
                                                   const std::string& copy,
                                                   const std::string& of_database) {
  const std::string holder = "IS_USED_LOCK(" + mariadb_literal(of_database) + ")";
  const MariadbRows rows =
      query(call, *database.mariadb, "",
            "SELECT 0, '', '', 0, " + holder +
                " IS NOT NULL UNION ALL SELECT id, user, host, db = " + mariadb_literal(copy) +
                ", id > " + holder +
                " FROM information_schema.processlist WHERE state LIKE 'Waiting for table %lock'"
                " AND info LIKE '%alembic\\_version%' AND db IN (" +
                mariadb_literal(copy) + ", " + mariadb_literal(database.name) + ")");
  if (rows.empty() || rows[0].at(4) != "1") return std::nullopt;
  std::vector<Waiter> waiters;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const MariadbRow& row = rows[i];
    waiters.push_back({row.at(0),
                       "connection " + row[0] + " of " + row.at(1) + " from " + row.at(2),
                       row.at(3) == "1", false, row.at(4) == "1"});
  }
  return waiters;
}

}  // namespace

RehearsalGuard::RehearsalGuard(const Call& call, const MigratedDatabase& database,
                               const MigratedDatabase& copy, std::string migrator)
    : call_(call),
      database_(database),
      copy_(copy),
      migrator_(std::move(migrator)),
      of_database_(call, database, noted(call, "guard")),
      of_copy_(call, copy, noted(call, "gate")) {
  reached_ = !of_database_.locks() || !of_copy_.locks();
  if (of_database_.locks()) thread_ = std::thread([this] { watch(); });
}

RehearsalGuard::~RehearsalGuard() { end(); }

std::string RehearsalGuard::end() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  end_.notify_all();
  if (thread_.joinable()) thread_.join();
  of_copy_.release();
  of_database_.release();
  return stopped_;
}

void RehearsalGuard::watch() noexcept {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!end_.wait_for(lock, reached_ ? look_interval : first_look_interval,
                        [this] { return ended_; })) {
    lock.unlock();
    try {
      look();
    } catch (const Cancelled&) {
      return of_copy_.release();  // nobody would, for a migrator that has come there
    } catch (const std::exception& e) {
      call_.debug(e.what());  // the next look may do better
    } catch (...) {
      return of_copy_.release();  // the host has said why
    }
    lock.lock();
  }
}

void RehearsalGuard::look() {
  const auto waiters = database_.mariadb
                           ? mariadb_waiters(call_, database_, copy_.name, of_database_.session())
                           : postgres_waiters(call_, database_, of_database_.session(),
                                              of_copy_.session(), migrator_);
  if (!waiters) {
    return stop_migrator({}, "the session that kept the migrator away from database " +
                                 database_.name + " itself has ended");
  }
  std::vector<Waiter> at_database;
  for (const Waiter& one : *waiters) {
    if (!one.at_copy) at_database.push_back(one);
  }
  if (!stopped_.empty()) return stop_migrator(at_database, stopped_);  // it has begun anew
  if (!reached_ && at_database.size() < waiters->size()) {
    of_database_.let_read();
    of_copy_.release();
    reached_ = true;
  }
  const auto now = std::chrono::steady_clock::now();
  for (const Waiter& one : at_database) {
    if (one.named) {
      return stop_migrator(
          at_database, "the migrator went to database " + database_.name +
                           " itself and not to the copy, whatever its variables say (" + one.who +
                           "): it was ended before it could read alembic_version there");
    }
    if (now - since_.try_emplace(one.id, now).first->second < longest_wait(call_)) continue;
    return stop_migrator(
        at_database,
        one.younger
            ? "a session that was opened after the migrator's start (" + one.who +
                  ") wants alembic_version of database " + database_.name +
                  " itself, which nobody " + (reached_ ? "writes" : "reads") +
                  " during a rehearsal: it is the migrator, whatever its variables say, or else "
                  "something that starts while it is rehearsed"
            : "the application waits for alembic_version of database " + database_.name + " (" +
                  one.who + "), which nobody " +
                  (reached_ ? "writes during a rehearsal"
                            : "reads in a rehearsal until the migrator has come to the copy") +
                  ": the rehearsal has given way to it");
  }
}

// A container's migrator is gone with it, and what its session may still wait for is to read one
// row; one that wants to write is ended. A command of this machine ends when its sessions do.
void RehearsalGuard::stop_migrator(const std::vector<Waiter>& waiting, const std::string& why) {
  if (stopped_.empty()) stopped_ = why;
  if (call_.has("/service")) end_containers(call_);
  std::string ids;
  for (const Waiter& one : waiting) {
    const bool its_own = one.named || (one.younger && (reached_ || !call_.has("/service")));
    if (its_own) ids += (ids.empty() ? "" : ", ") + one.id;
  }
  if (database_.mariadb) {
    for (const MariadbRow& row :
         query(call_, *database_.mariadb, "",
               "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND"
               " id <> coalesce(IS_USED_LOCK(" +
                   mariadb_literal(of_copy_.session()) +
                   "), 0) AND (db = " + mariadb_literal(copy_.name) +
                   (ids.empty() ? "" : " OR id IN (" + ids + ")") + ")")) {
      try {
        execute(call_, *database_.mariadb, "", "KILL " + row.at(0));
      } catch (const Failed& e) {
        call_.debug(e.what());  // it may have ended by itself
      }
    }
    return;
  }
  query(call_, database_.server, database_.name,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND"
        " application_name <> " +
            quoted_literal(of_copy_.session()) + " AND (datname = " + quoted_literal(copy_.name) +
            (ids.empty() ? "" : " OR pid IN (" + ids + ")") + ");");
}

}  // namespace drydock::alembic
