#include "alembic_migrate_stage.h"

#include <functional>
#include <future>

#include "migrated_database.h"
#include "migration_heads.h"
#include "migration_lock.h"
#include "migration_plan.h"
#include "migrator.h"
#include "planned_backups.h"

using namespace drydock::alembic;
using drydock::Call;
using drydock::Failed;
using drydock::Revisions;

namespace {

MigratedDatabase running_database(const Call& call) {
  if (auto database = find_database(call)) return *database;
  throw Failed(
      "no PostgreSQL container of this deployment runs, so there is nothing to migrate; start the "
      "database before this stage (uses: compose-up, with: {services: [...]}), or name it with "
      "`database`");
}

// What an interrupted attempt left: its container, and its sessions in the database.
void end_leftovers(const Call& call) {
  end_containers(call);
  const std::vector<std::string> sessions = noted_sessions(call);
  if (sessions.empty()) return;
  if (const auto database = find_database(call)) end_sessions(call, *database, sessions);
}

// "": a `backup` stage before this one saves the database.
std::string what_no_backup_saves(const Call& call, const MigratedDatabase& database) {
  const bool saved = database.sqlite.empty() ? drydock::may_save_database(call, database.name)
                                             : drydock::may_save_file(call, database.sqlite);
  if (saved) return "";
  return "the data of " + database.name +
         " as it is before the migration: no `backup` stage saves it, so what the migration "
         "changes stays";
}

MigrationQuestion question_of(const Call& call, const std::optional<MigratedDatabase>& database) {
  MigrationQuestion question;
  question.database = database ? database->name : "database";
  question.running = database.has_value();
  if (database) question.current = current_revisions(call, *database);
  return question;
}

void describe_scripts(const Call& call, const std::optional<MigratorService>& service,
                      const Scripts& scripts, MigrationQuestion& question) {
  question.folder = scripts.folder;
  question.owner = owner_of_scripts(call, service);
  question.target = upgrade_target(call, service);
}

}  // namespace

void AlembicMigrate::observe(Call& call) {
  const auto database = find_database(call);
  call.fact("revision", database ? describe(current_revisions(call, *database)) : "not running");
}

void AlembicMigrate::plan(Call& call) {
  const std::optional<MigratorService> service = service_of(call);
  // While the database is asked.
  auto reading = std::async(std::launch::async, [&] { return scripts_of(call, service); });
  const auto database = find_database(call);
  MigrationQuestion question = question_of(call, database);
  const std::string loses = database ? what_no_backup_saves(call, *database) : "";
  const Scripts scripts = reading.get();
  if (scripts.graph) {
    describe_scripts(call, service, scripts, question);
    for (drydock::Change& change : plan_migration(question, *scripts.graph)) {
      if (change.action == "change") change.rollback_loses = loses;
      call.change(change);
    }
    return;
  }
  const bool there = !service || !service->image_id.empty();
  drydock::Change change{"revision", "change", question.database};
  change.before = question.running ? describe(question.current) : "not running";
  change.detail = "to the head of the scripts of " + owner_of_scripts(call, service);
  change.rollback_loses = loses;
  if (there) change.detail += "; what is pending is not known: " + scripts.reason;
  call.change(change);
  if (!there) throw drydock::Unknown("after pull");
}

void AlembicMigrate::run(Call& call) {
  end_leftovers(call);
  const MigratedDatabase database = running_database(call);
  const std::optional<MigratorService> service = service_of(call);
  const Scripts scripts = scripts_of(call, service);
  MigrationLock lock(call, database);
  MigrationQuestion question = question_of(call, database);
  if (scripts.graph) {
    describe_scripts(call, service, scripts, question);
    plan_migration(question, *scripts.graph);  // the database may not have run for the plan
  }
  const std::string before = describe(question.current);
  call.remember("before", before);

  const bool in_container = service.has_value();
  const std::string container = container_name(call, "migrate");
  if (in_container) {
    note_container(call, container);
  } else {
    note_session(call, container);
  }
  drydock::Process process = migrator_process(call, container);
  LastLines last;
  process.on_line = [&](drydock::Stream, std::string_view line) {
    last.add(line);
    call.info(line);
  };
  // At the same time: to ask Alembic starts the application once more, which takes longer than most
  // migrations. Not on one SQLite file, which two processes would lock against each other.
  const auto when = in_container ? std::launch::async : std::launch::deferred;
  auto heads = std::async(when, remember_heads, std::cref(call), std::cref(scripts));
  const drydock::Exit exit = call.run(process);
  heads.wait();
  lock.release();
  if (exit.ok()) return;  // what that is worth, verify says
  const std::string after = describe(current_revisions(call, database));
  throw Failed("the migration of database " + database.name + " ended with " + exit.describe() +
               (last.text().empty() ? "" : " (" + last.text() + ")") + "; " +
               (after == before ? "its revision is still " + before
                                : "its revision went from " + before + " to " + after));
}

void AlembicMigrate::verify(Call& call) {
  const MigratedDatabase database = running_database(call);
  const std::vector<std::string> heads = known_heads(call);
  const Revisions found = current_revisions(call, database);
  if (!is_at(found, heads)) throw Failed(mismatch(call, database, found, heads));
  const std::string before = call.recall("before").value_or("unknown"), after = describe(found);
  call.info("database " + database.name + ": revision " + before +
            (after == before ? " is still the one" : " -> " + after));
  call.output("revision", after);
}

void AlembicMigrate::rollback(Call& call) {
  // Putting the data back belongs to the stage that keeps it.
  end_leftovers(call);
}
