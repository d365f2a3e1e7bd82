#include "migration_run.h"

#include <functional>
#include <future>

#include "lock_timeout.h"
#include "mariadb_lock_wait.h"
#include "migration_plan.h"
#include "migrator.h"
#include "open_transactions.h"
#include "revision_watch.h"

namespace drydock::alembic {
namespace {

const RevisionGraph* graph_of(const Scripts& scripts) {
  return scripts.graph ? &*scripts.graph : nullptr;
}

std::string one_sentence(const std::vector<std::string>& sentences) {
  std::string result;
  for (const std::string& one : sentences) result += (result.empty() ? "" : "; ") + one;
  return result;
}

std::string ended_with(const MigratedDatabase& database, const MigratorEnd& last) {
  return "the migration of database " + database.name + " ended with " + last.exit.describe() +
         (last.last_words.empty() ? "" : " (" + last.last_words + ")") + "; ";
}

// Where the migrator left the database, which may be what it died of.
Revisions revisions_after(const Call& call, const MigratedDatabase& database,
                          const MigratorEnd& last) {
  try {
    return current_revisions(call, database);
  } catch (const Failed& e) {
    throw Failed(ended_with(database, last) + "its revision cannot be told: " + e.what());
  }
}

}  // namespace

MigratorEnd start_migrator(const Call& call, const std::string& name, const Variables& instead) {
  if (call.has("/service")) {
    note_container(call, name);
  } else {
    note_session(call, name);
  }
  Process process = migrator_process(call, name, instead);
  MigratorEnd result;
  LastLines last;
  process.on_line = [&](Stream, std::string_view line) {
    last.add(line);
    result.lock_timeout = result.lock_timeout || tells_of_lock_timeout(line);
    result.lock_wait = result.lock_wait || tells_of_mariadb_lock_wait(line);
    call.info(line);
  };
  result.exit = call.run(process);
  result.last_words = last.text();
  return result;
}

Failed migration_failure(const Call& call, const MigratedDatabase& database,
                         const MigratorEnd& last, int tries, const Revisions& before) {
  const std::string was = describe(before);
  const std::string is = describe(revisions_after(call, database, last));
  const std::string text =
      ended_with(database, last) +
      (is == was ? "its revision is still " + was : "its revision went from " + was + " to " + is);
  if (!last.lock_timeout && !last.lock_wait) return Failed(text);
  const std::string open = one_sentence(open_transactions(call, database, std::chrono::seconds(0)));
  return Failed(text + ". It waited for a lock in vain" +
                (last.lock_wait
                     ? ", and is not started again: what it had done of a revision stays"
                     : ", " + std::to_string(tries) + (tries == 1 ? " time" : " times")) +
                (open.empty() ? "" : "; transactions that are open: " + open) +
                "; end what holds the lock, or let it wait longer with `lock_timeout`");
}

void run_migrator(const Call& call, const MigratedDatabase& database, const Scripts& scripts,
                  const Revisions& current) {
  RevisionWatch watch(call, database, current, graph_of(scripts));
  watch.start();
  // At the same time: to ask Alembic starts the application once more, which takes longer than most
  // migrations. Not on one SQLite file, which two processes would lock against each other.
  const auto when = call.has("/service") ? std::launch::async : std::launch::deferred;
  auto heads = std::async(when, remember_heads, std::cref(call), std::cref(scripts));
  for (int tries = 1;; ++tries) {
    const MigratorEnd last = start_migrator(
        call, container_name(call, "migrate" + (tries == 1 ? "" : std::to_string(tries))));
    if (heads.valid()) heads.get();
    // What that is worth, verify says.
    if (last.exit.ok() && !last.lock_timeout) return;
    if (last.exit.ok() && is_at(revisions_after(call, database, last), known_heads(call))) return;
    if (!last.lock_timeout || tries > call.integer("/lock_retries")) {
      throw migration_failure(call, database, last, tries, current);
    }
    call.warn("the migration waited for a lock in vain; trying again, " +
              std::to_string(call.integer("/lock_retries") - tries + 1) + " times at most");
    pause(call, std::chrono::seconds(1));
  }
}

void wait_for_heads(const Call& call, const MigratedDatabase& database, const Scripts& scripts,
                    const Revisions& current) {
  remember_heads(call, scripts);
  const std::vector<std::string> heads = known_heads(call);
  const auto limit = call.duration("/limit");
  const auto until = std::chrono::steady_clock::now() + limit;
  RevisionWatch watch(call, database, current, graph_of(scripts));
  for (;;) {
    const Revisions now = current_revisions(call, database);
    watch.look(now);
    if (is_at(now, heads)) return;
    if (std::chrono::steady_clock::now() >= until) {
      throw Failed("database " + database.name + " is at " + describe(now) +
                   " and not at the head " + describe(heads) + " after " +
                   std::to_string(limit.count() / 1000) +
                   " s: the application does not migrate it, or takes longer; look at its log, or "
                   "give it more time with `limit`");
    }
    pause(call, std::chrono::milliseconds(500));
  }
}

void refuse_long_transactions(const Call& call, const MigratedDatabase& database) {
  const std::vector<std::string> open = long_transactions(call, database);
  if (open.empty()) return;
  const std::string text = "the migration of database " + database.name +
                           " would wait for transactions that are open: " + one_sentence(open);
  if (call.text("/long_transactions") == "warn") return call.warn(text);
  throw Failed(text + "; end them (" +
               (database.mariadb ? "KILL NUMBER" : "SELECT pg_terminate_backend(PID)") +
               "), or set `long_transactions: warn`");
}

}  // namespace drydock::alembic
