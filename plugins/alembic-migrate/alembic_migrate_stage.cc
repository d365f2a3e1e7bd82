#include "alembic_migrate_stage.h"

#include <algorithm>
#include <functional>
#include <future>
#include <sstream>

#include "compose_engine.h"
#include "migrated_database.h"
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

// Where the scripts come from, for people.
std::string scripts(const Call& call) {
  return call.has("/service") ? "the image of service " + call.text("/service")
                              : "`" + call.texts("/command").front() + "`";
}

bool same(const Revisions& found, std::vector<std::string> heads) {
  if (!found) return false;
  std::vector<std::string> rows = *found;
  std::sort(rows.begin(), rows.end());
  std::sort(heads.begin(), heads.end());
  return rows == heads;
}

// Why the database is not where the scripts end, in one sentence.
std::string mismatch(const Call& call, const MigratedDatabase& database, const Revisions& found,
                     const std::vector<std::string>& heads) {
  const std::string expected = "the head of " + scripts(call) + " is " + describe(heads);
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

// That they cannot be asked for matters only in verify, which then says why.
void remember_heads(const Call& call) {
  std::string heads;
  try {
    for (const std::string& head : ask_heads(call)) heads += head + "\n";
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
  for (std::string head; lines >> head;) heads.push_back(head);
  return heads;
}

// What an interrupted attempt left: its container, and its sessions in the database.
void end_leftovers(const Call& call) {
  const std::vector<std::string> ended = end_containers(call);
  if (ended.empty()) return;
  if (const auto database = find_database(call)) end_sessions(call, *database, ended);
}

bool is_saved(const Call& call, const MigratedDatabase& database) {
  return database.sqlite.empty() ? drydock::may_save_database(call, database.name)
                                 : drydock::may_save_file(call, database.sqlite);
}

}  // namespace

void AlembicMigrate::observe(Call& call) {
  const auto database = find_database(call);
  call.fact("revision", database ? describe(current_revisions(call, *database)) : "not running");
}

void AlembicMigrate::plan(Call& call) {
  const auto database = find_database(call);
  drydock::Change change{"revision", "change", database ? database->name : "database"};
  change.before = database ? describe(current_revisions(call, *database)) : "not running";
  change.detail = "to the head of the scripts of " + scripts(call);
  if (database && !is_saved(call, *database)) {
    change.rollback_loses = "the data of " + database->name +
                            " as it is before the migration: no `backup` stage saves it, so what "
                            "the migration changes stays";
  }
  if (call.has("/service")) {
    const auto model = drydock::compose::resolved_model(call);
    const auto service = model.services.find(call.text("/service"));
    if (service == model.services.end()) {
      throw drydock::BadOptions("there is no service " + call.text("/service") +
                                " in the compose files that the migration will run with");
    }
    if (!drydock::compose::image_id(call, service->second.image)) {
      call.change(change);
      throw drydock::Unknown("after pull");
    }
  }
  call.change(change);
}

void AlembicMigrate::run(Call& call) {
  end_leftovers(call);
  const MigratedDatabase database = running_database(call);
  const std::string before = describe(current_revisions(call, database));
  call.remember("before", before);

  const bool in_container = call.has("/service");
  const std::string container = container_name(call, "migrate");
  if (in_container) call.remember("container/" + container, container);
  drydock::Process process = migrator_process(call, container);
  LastLines last;
  process.on_line = [&](drydock::Stream, std::string_view line) {
    last.add(line);
    call.info(line);
  };
  // Both start the application, which takes longer than most migrations: at the same time. Not on
  // one SQLite file, which two processes would lock against each other.
  const auto when = in_container ? std::launch::async : std::launch::deferred;
  auto heads = std::async(when, remember_heads, std::cref(call));
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
  if (!same(found, heads)) throw Failed(mismatch(call, database, found, heads));
  const std::string before = call.recall("before").value_or("unknown"), after = describe(found);
  call.info("database " + database.name + ": revision " + before +
            (after == before ? " is still the one" : " -> " + after));
  call.output("revision", after);
}

void AlembicMigrate::rollback(Call& call) {
  // Putting the data back belongs to the stage that keeps it.
  end_leftovers(call);
}
