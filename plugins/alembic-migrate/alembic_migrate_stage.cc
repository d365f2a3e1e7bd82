#include "alembic_migrate_stage.h"

#include <functional>
#include <future>
#include <sstream>

#include "migrated_database.h"
#include "migration_plan.h"
#include "migrator.h"
#include "planned_backups.h"
#include "script_reader.h"

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

// Where the scripts come from, for people.
std::string home_of_scripts(const Call& call) {
  return call.has("/service") ? "the image of service " + call.text("/service")
                              : "`" + call.texts("/command").front() + "`";
}

// Why the database is not where the scripts end, in one sentence.
std::string mismatch(const Call& call, const MigratedDatabase& database, const Revisions& found,
                     const std::vector<std::string>& heads) {
  const std::string expected = "the head of " + home_of_scripts(call) + " is " + describe(heads);
  const std::string place = "database " + database.name;
  if (!found) {
    return place + " has no table alembic_version, and " + expected +
           ": the migrator did not run on this database; look at its output above, and at the "
           "database that it is configured for";
  }
  if (found->empty()) {
    return place + " has an empty table alembic_version" +
           (has_application_tables(call, database)
                ? " beside other tables, so its revision is lost; stamp it with the revision that "
                  "its schema has"
                : ", and " + expected + ": the migrator did nothing; look at its output above");
  }
  if (found->size() > 1 && heads.size() == 1) {
    return place + " is at several revisions at once (" + describe(found) + "), and " + expected +
           ": its branches were not merged, or a stamp is wrong";
  }
  return place + " is at revision " + describe(found) + ", and " + expected +
         ": the migrator failed or did nothing, whatever its exit code; look at its output above";
}

std::optional<MigratorService> service_of(const Call& call) {
  if (!call.has("/service")) return std::nullopt;
  return migrator_service(call);
}

// From the scripts themselves where they can be read, and where they are those that the database
// was migrated with so far; else Alembic is asked, which starts the application.
std::vector<std::string> find_heads(const Call& call, const Revisions& before) {
  const std::optional<MigratorService> service = service_of(call);
  const bool there = !service || !service->image_id.empty();
  const Scripts scripts =
      there ? read_scripts(call, service) : Scripts{std::nullopt, "", "the image is not there yet"};
  if (scripts.graph && unknown_stamps(*scripts.graph, before).empty()) {
    return scripts.graph->effective_heads();
  }
  call.debug("asking Alembic for the heads, since the scripts do not tell them: " +
             (scripts.graph ? "they lack a revision of the database" : scripts.reason));
  return ask_heads(call);
}

// That they cannot be found matters only in verify, which then says why.
void remember_heads(const Call& call, const Revisions& before) {
  std::string heads;
  try {
    for (const std::string& head : find_heads(call, before)) heads += head + "\n";
  } catch (const std::runtime_error& e) {
    call.debug(e.what());
  }
  call.remember("heads", heads);  // also over those of an attempt before this one
}

// The heads are the scripts' own: whether the migrator did anything makes no difference to them.
std::vector<std::string> known_heads(const Call& call) {
  const std::string noted = call.recall("heads").value_or("");
  if (noted.empty()) return ask_heads(call);
  std::istringstream lines(noted);
  std::vector<std::string> heads;
  for (std::string head; std::getline(lines, head);) heads.push_back(head);
  return heads;
}

// What an interrupted attempt left: its container, and its sessions in the database.
void end_leftovers(const Call& call) {
  const std::vector<std::string> ended = end_containers(call);
  if (ended.empty()) return;
  if (const auto database = find_database(call)) end_sessions(call, *database, ended);
}

// "": a `backup` stage before this one saves the database.
std::string what_no_backup_saves(const Call& call, const MigratedDatabase& database) {
  const bool saved = database.sqlite.empty() ? drydock::may_save_database(call, database.name)
                                             : drydock::may_save_file(call, database.sqlite);
  if (saved) return "";
  return "the data of " + database.name +
         " as it is before the migration: no `backup` stage saves it, so what the migration "
         "changes "
         "stays";
}

}  // namespace

void AlembicMigrate::observe(Call& call) {
  const auto database = find_database(call);
  call.fact("revision", database ? describe(current_revisions(call, *database)) : "not running");
}

void AlembicMigrate::plan(Call& call) {
  const std::optional<MigratorService> service = service_of(call);
  const bool there = !service || !service->image_id.empty();
  // While the database is asked.
  auto reading = std::async(std::launch::async,
                            [&] { return there ? read_scripts(call, service) : Scripts{}; });
  const auto database = find_database(call);
  MigrationQuestion question;
  question.database = database ? database->name : "database";
  question.running = database.has_value();
  if (database) question.current = current_revisions(call, *database);
  const std::string loses = database ? what_no_backup_saves(call, *database) : "";
  const Scripts scripts = reading.get();
  if (scripts.graph) {
    question.folder = scripts.folder;
    question.owner = owner_of_scripts(call, service);
    question.target = upgrade_target(call, service);
    for (drydock::Change& change : plan_migration(question, *scripts.graph)) {
      if (change.action == "change") change.rollback_loses = loses;
      call.change(change);
    }
    return;
  }
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
  const Revisions current = current_revisions(call, database);
  const std::string before = describe(current);
  call.remember("before", before);

  const bool in_container = call.has("/service");
  const std::string container = container_name(call, "migrate");
  if (in_container) note_container(call, container);
  drydock::Process process = migrator_process(call, container);
  LastLines last;
  process.on_line = [&](drydock::Stream, std::string_view line) {
    last.add(line);
    call.info(line);
  };
  // At the same time: to ask Alembic starts the application once more, which takes longer than most
  // migrations. Not on one SQLite file, which two processes would lock against each other.
  const auto when = in_container ? std::launch::async : std::launch::deferred;
  auto heads = std::async(when, remember_heads, std::cref(call), std::cref(current));
  const drydock::Exit exit = call.run(process);
  heads.wait();
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
