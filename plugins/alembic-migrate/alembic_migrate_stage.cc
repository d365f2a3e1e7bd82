#include "alembic_migrate_stage.h"

#include <future>

#include "check_command.h"
#include "database_copy.h"
#include "database_health.h"
#include "downgrade.h"
#include "invalid_indexes.h"
#include "lock_timeout.h"
#include "mariadb_sessions.h"
#include "migrated_database.h"
#include "migration_heads.h"
#include "migration_lock.h"
#include "migration_plan.h"
#include "migration_rights.h"
#include "migration_run.h"
#include "migrator.h"
#include "named_database.h"
#include "offline_sql.h"
#include "open_transactions.h"
#include "planned_backups.h"
#include "rehearsal.h"
#include "rehearsal_record.h"
#include "table_space.h"
#include "way_back.h"

using namespace drydock::alembic;
using drydock::Call;
using drydock::Failed;
using drydock::Revisions;

namespace {

MigratedDatabase running_database(const Call& call) {
  if (auto database = find_database(call)) return *database;
  throw Failed(
      "no database container of this deployment runs, so there is nothing to migrate; start the "
      "database before this stage (uses: compose-up, with: {services: [...]}), or name it with "
      "`database`");
}

// What an interrupted attempt left: its container, its sessions in the database, and a setting.
void end_leftovers(const Call& call) {
  end_containers(call);
  const std::vector<std::string> sessions = noted_sessions(call);
  if (sessions.empty()) return;
  const auto database = find_database(call);
  if (!database) return;  // what is left to put back then, settle does
  end_sessions(call, *database, sessions);
  put_back_lock_timeout(call, *database);
  end_copy(call, *database);
}

// "": a `backup` stage before this one saves the database.
std::string what_no_backup_saves(const Call& call, const MigratedDatabase& database) {
  const bool saved = database.sqlite.empty()
                         ? drydock::may_save_database(call, database.name, database.place())
                         : drydock::may_save_file(call, database.sqlite);
  if (saved) return "";
  if (call.flag("/downgrade")) {
    return "what the downgrades of " + database.name + " drop: no `backup` stage saves it";
  }
  return "the data of " + database.name +
         " as it is before the migration: no `backup` stage saves it, so what the migration "
         "changes stays";
}

MigrationQuestion question_of(const Call& call, const std::optional<MigratedDatabase>& database) {
  MigrationQuestion question;
  question.database = database ? database->name : "database";
  question.running = database.has_value();
  if (!database) return question;
  question.current = current_revisions(call, *database);
  question.has_tables =
      question.current && question.current->empty() && has_application_tables(call, *database);
  return question;
}

void describe_scripts(const Call& call, const std::optional<MigratorService>& service,
                      const Scripts& scripts, MigrationQuestion& question) {
  question.folder = scripts.folder;
  question.owner = owner_of_scripts(call, service);
  question.target = upgrade_target(call, service);
}

// By whoever the image starts, and not by a migrator of ours.
bool waits(const Call& call) { return call.text("/mode") == "wait"; }

// "; rehearsed 2026-11-26 in 42 s on 1.2 GiB", or nothing.
std::string rehearsed(const Call& call, const drydock::Change& change) {
  const auto known = find_rehearsal(call, change.name, change.before, change.after);
  return known ? "; " + describe(*known) : "";
}

// In run: the database may not have run for the plan. Throws what plan throws.
MigrationQuestion asked_again(const Call& call, const MigratedDatabase& database,
                              const std::optional<MigratorService>& service,
                              const Scripts& scripts) {
  MigrationQuestion question = question_of(call, database);
  refuse_lost_stamp(question);
  if (!scripts.graph) return question;
  describe_scripts(call, service, scripts, question);
  plan_migration(question, *scripts.graph);
  return question;
}

// Why it could not be; "": it was.
std::string try_to_put_back(const Call& call, const MigratedDatabase& database) {
  try {
    put_back_lock_timeout(call, database);
    return "";
  } catch (const Failed& e) {
    return e.what();
  }
}

std::string product(const MigratedDatabase& database) {
  return database.mariadb ? database.mariadb->product() : "PostgreSQL";
}

// Of a database that is not there yet nothing more can be asked.
bool is_there(const Call& call, const MigratedDatabase& database, const Revisions& current) {
  if (current || !database.sqlite.empty()) return true;
  return database.mariadb ? database_exists(call, *database.mariadb, database.name)
                          : database_exists(call, database.server, database.name);
}

// What stands in the way of a migration although its revisions are in order.
void check_tables(const Call& call, const MigratedDatabase& database, const PendingTables& pending,
                  const TableSizes& sizes) {
  check_rights(call, database, pending);
  check_space(call, database, rewritten_tables(pending, sizes));
}

// As it was before the first attempt.
void note_state(const Call& call, const MigratedDatabase& database, const Revisions& current) {
  if (!call.recall("before")) call.remember("before", describe(current));
  note_invalid_indexes(call, database);
}

void warn_of_long_transactions(const Call& call, const MigratedDatabase& database) {
  for (const std::string& one : long_transactions(call, database)) {
    call.warn("a migration of database " + database.name + " would wait for a transaction: " + one);
  }
}

// The scripts say so, and nobody else migrates: the application's start, which takes longer than
// all that was asked, would find out the same.
void nothing_to_do(const Call& call, const MigratedDatabase& database, const Scripts& scripts) {
  remember_heads(call, scripts);
  call.info("database " + database.name + " is at the head already; the migrator is not started");
}

}  // namespace

void AlembicMigrate::observe(Call& call) {
  const auto database = find_database(call);
  call.fact("database",
            database ? database->name + " of " + database->where.text() : "not running");
  call.fact("revision", database ? describe(current_revisions(call, *database)) : "not running");
  if (is_rehearsal(call)) {
    call.fact("copies", database ? copies_left(call, *database) : "not running");
    return;
  }
  // Of MariaDB and MySQL it is the whole server's, and may well be another's to change.
  if (database && database->on_postgres() && limits_lock_waits(call, *database)) {
    call.fact("lock_timeout", lock_timeout_fact(call, *database));
  }
}

void AlembicMigrate::plan(Call& call) {
  const std::optional<MigratorService> service = service_of(call);
  // While the database is asked.
  auto reading = std::async(std::launch::async, [&] { return scripts_of(call, service); });
  const auto database = find_database(call);
  MigrationQuestion question = question_of(call, database);
  const bool rehearses = is_rehearsal(call);
  const std::string loses = database && !rehearses ? what_no_backup_saves(call, *database) : "";
  const Scripts scripts = reading.get();
  refuse_lost_stamp(question);
  if (database && !waits(call)) refuse_foreign_role(call, *database);
  if (const std::string front = service && !waits(call) ? in_front_of_command(call, *service) : "";
      !front.empty()) {
    call.warn("the entrypoint " + front + " of " + owner_of_scripts(call, service) +
              " gets the migrator's `command` as arguments, and may ignore them; if the migration "
              "does nothing, name the migrator with `entrypoint`");
  }
  if (call.flag("/downgrade") && downgrade_command(call, "REVISION").empty()) {
    throw drydock::BadOptions(
        "neither `command` nor `entrypoint` says how a downgrade is asked for; name the command "
        "with `downgrade_command`");
  }
  if (scripts.graph) {
    describe_scripts(call, service, scripts, question);
    std::vector<drydock::Change> changes = plan_migration(question, *scripts.graph);
    if (database && !waits(call) && is_there(call, *database, question.current)) {
      const PendingTables pending = pending_tables(question, *scripts.graph);
      const TableSizes sizes = table_sizes(call, *database, pending);
      describe_tables(pending, sizes, changes);
      if (rehearses) refuse_named_database(call, *database, scripts, question.current);
      if (!rehearses) {  // of a copy nobody waits for its tables, and it has room of its own
        for (const std::string& one :
             table_warnings(product(*database), pending, sizes, call.integer("/large_table"))) {
          call.warn(one);
        }
        check_tables(call, *database, pending, sizes);
      }
    }
    OfflineSql sql;
    if (call.flag("/sql") && changes.size() > 1) {  // something is pending
      sql = offline_sql(call, service, question.current, question.target);
    }
    for (drydock::Change& change : changes) {
      if (change.action == "change") {
        change.rollback_loses = loses;
        if (database) change.detail += "; of " + database->where.text();
        if (waits(call)) change.detail += "; by the application itself";
        change.detail += rehearsed(call, change);
        if (database && !rehearses) warn_of_long_transactions(call, *database);
      }
      if (const std::string& text = sql[change.name]; change.action == "run" && !text.empty()) {
        change.detail += (change.detail.empty() ? "" : " ") + ("SQL: " + text);
      }
      call.change(rehearses ? as_rehearsal(call, std::move(change), database) : change);
    }
    return;
  }
  const bool there = !service || !service->image_id.empty();
  drydock::Change change{"revision", "change", question.database};
  change.before = question.running ? describe(question.current) : "not running";
  change.detail = "to the head of the scripts of " + owner_of_scripts(call, service);
  change.rollback_loses = loses;
  if (there) change.detail += "; what is pending is not known: " + scripts.reason;
  call.change(rehearses ? as_rehearsal(call, std::move(change), database) : change);
  if (!there) throw drydock::Unknown("after pull");
}

void AlembicMigrate::run(Call& call) {
  end_leftovers(call);
  const MigratedDatabase database = running_database(call);
  note_place(call, database.where);
  const std::optional<MigratorService> service = service_of(call);
  const Scripts scripts = scripts_of(call, service);
  if (waits(call)) {
    const MigrationQuestion question = asked_again(call, database, service, scripts);
    note_state(call, database, question.current);
    return wait_for_heads(call, database, scripts, question.current);
  }
  if (is_rehearsal(call)) {
    const MigrationQuestion question = asked_again(call, database, service, scripts);
    return rehearse(call, database, service, scripts, question.current);
  }
  refuse_unready_database(call, database, service);
  MigrationLock lock(call, database);
  const MigrationQuestion question = asked_again(call, database, service, scripts);
  const bool done = scripts.graph && is_at(question.current, scripts.graph->effective_heads());
  note_state(call, database, question.current);
  if (done && ends_at_heads(question.target)) return nothing_to_do(call, database, scripts);
  refuse_long_transactions(call, database);
  refuse_foreign_role(call, database);
  if (scripts.graph && is_there(call, database, question.current)) {
    const PendingTables pending = pending_tables(question, *scripts.graph);
    check_tables(call, database, pending, table_sizes(call, database, pending));
  }
  note_mariadb_sessions(call, database);
  limit_lock_waits(call, database);
  try {
    run_migrator(call, database, scripts, question.current);
  } catch (const Failed&) {
    // What the migration failed of matters more; a rollback comes.
    if (const std::string left = try_to_put_back(call, database); !left.empty()) {
      call.warn("lock_timeout is left for the rollback to put back: " + left);
    }
    throw;
  }
  // No reason to undo a migration that went well; once more, as the connection may be what failed.
  if (!try_to_put_back(call, database).empty()) {
    if (const std::string left = try_to_put_back(call, database); !left.empty()) {
      const std::string statement = put_back_statement(call);
      call.warn("lock_timeout is not put back (" + left + "); " +
                (statement.empty() ? "see to the server's lock_wait_timeout and "
                                     "innodb_lock_wait_timeout"
                                   : "do it with: " + statement));
    }
  }
  forget_mariadb_sessions(call);
  lock.release();
}

void AlembicMigrate::verify(Call& call) {
  const MigratedDatabase database = running_database(call);
  if (is_rehearsal(call)) return verify_rehearsal(call, database);
  const std::vector<std::string> heads = known_heads(call);
  const Revisions found = current_revisions(call, database);
  if (!is_at(found, heads)) throw Failed(mismatch(call, database, found, heads));
  check_indexes(call, database);
  run_check(call, database);
  const std::string before = call.recall("before").value_or("unknown"), after = describe(found);
  call.info("database " + database.name + ": revision " + before +
            (after == before ? " is still the one" : " -> " + after));
  call.output("revision", after);
}

void AlembicMigrate::rollback(Call& call) {
  end_leftovers(call);
  // Else putting the data back belongs to the stage that keeps it.
  if (call.flag("/downgrade") && !is_rehearsal(call)) downgrade(call);
}

// Once all stages have put back what they keep, and the database runs again.
void AlembicMigrate::settle(Call& call) {
  const auto before = call.recall("before");
  const auto database = find_database(call);
  if (is_rehearsal(call)) return database ? end_copy(call, *database) : refuse_copy_left(call);
  if (!database) {
    if (!lock_waits_are_limited(call)) return;
    throw Failed(
        "the database does not run, so that the lock_timeout of its role was not put back; "
        "start it, and give it the statement: " +
        put_back_statement(call));
  }
  put_back_lock_timeout(call, *database);
  if (!before) return;
  const std::string now = describe(current_revisions(call, *database));
  if (now != *before) throw Failed(way_back_by_hand(call, *database, *before, now));
}
