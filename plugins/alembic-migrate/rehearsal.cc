#include "rehearsal.h"

#include <chrono>
#include <filesystem>

#include "database_copy.h"
#include "migration_plan.h"
#include "migration_run.h"
#include "migrator.h"
#include "rehearsal_record.h"
#include "rehearsal_target.h"
#include "rehearsal_variables.h"
#include "size_words.h"

namespace drydock::alembic {
namespace {

// Of the database before the migrator was started, for whoever proves afterwards that it is still
// the same.
constexpr auto revision_note = "database/revision", schema_note = "database/schema";
constexpr auto copy_note = "copy";

// Throws Failed when it is another by now: the worst that a rehearsal can do.
void refuse_touched(const Call& call, const MigratedDatabase& database) {
  const auto revision = call.recall(revision_note), schema = call.recall(schema_note);
  if (!revision || !schema) return;
  const Picture now = picture_of(call, database);
  const std::string is = describe(now.revisions);
  if (is == *revision && now.schema == *schema) return;
  throw Failed("while its migration was rehearsed, database " + database.name +
               " itself was changed: " +
               (is == *revision ? "its structure is another than before"
                                : "its revision went from " + *revision + " to " + is) +
               ". Either somebody else has migrated it, or the migrator works on it whatever its "
               "variables say: stop what writes to it, compare it, and restore a backup "
               "(`drydock backups list`) where it was the migrator");
}

std::string of_heads(const std::vector<std::string>& heads) { return describe(Revisions(heads)); }

// How long it took, in seconds.
double migrate_copy(const Call& call, const MigratedDatabase& database,
                    const MigratedDatabase& copy, const Scripts& scripts, const Revisions& current,
                    const std::vector<std::string>& heads, const Variables& variables) {
  const auto began = std::chrono::steady_clock::now();
  std::string said, failure;
  try {
    said = run_migrator(call, copy, scripts, current, variables);
  } catch (const Failed& e) {
    failure = e.what();
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  refuse_touched(call, database);
  const Revisions found = failure.empty() ? current_revisions(call, copy) : std::nullopt;
  if (failure.empty() && !is_at(found, heads)) {
    failure = mismatch(call, copy, found, heads) + (said.empty() ? "" : " (" + said + ")");
  }
  if (failure.empty()) return took.count();
  throw Failed("the rehearsal failed after " + shown_seconds(took.count()) + ", and database " +
               database.name + " is as it was: " + failure);
}

std::string words_of_rows(const RowCounts& before, const std::string& differences) {
  if (!differences.empty()) return "it changes the rows of tables: " + differences;
  const std::string tables =
      before.size() == 1 ? "the one table has" : "all " + std::to_string(before.size()) + " tables have";
  return tables + " as many rows as before";
}

void on_a_copy(const Call& call, const MigratedDatabase& database, const MigratedDatabase& copy,
               const Scripts& scripts, const Revisions& current,
               const std::vector<std::string>& heads, const Variables& variables) {
  const std::int64_t bytes = database_bytes(call, database);
  refuse_without_room(call, database, bytes);
  const Picture before = picture_of(call, database);
  call.remember(revision_note, describe(before.revisions));
  call.remember(schema_note, before.schema);
  note_session(call, copy.name);  // of the dump
  call.remember(copy_note, copy.name);
  call.info("copying database " + database.name + " (" + size_words(bytes) + ") to " + copy.name);
  make_copy(call, database, copy);
  const RowCounts rows = row_counts(call, copy);
  show_that_it_goes_to_the_copy(call, copy, current, heads, variables);
  call.info("the migrator gets the copy by " + names_of(variables));
  const double seconds =
      migrate_copy(call, database, copy, scripts, current, heads, variables);
  const std::string differences = row_differences(rows, row_counts(call, copy));
  if (!differences.empty()) {
    call.warn("the migration changes how many rows tables of database " + database.name +
              " have: " + differences);
  }
  const Rehearsal done{database.name, describe(current), of_heads(heads), today(), seconds, bytes};
  keep_rehearsal(call, done);
  const std::string found = "database " + database.name + ": the migration " + done.from + " -> " +
                            done.to + " took " + shown_seconds(seconds) + " on a copy of " +
                            size_words(bytes) + "; " + words_of_rows(rows, differences);
  call.info(found);
  call.output("rehearsal", found);
  call.output("row_differences", differences);
  call.output("seconds", std::to_string(seconds));
  call.output("revision", done.to);
}

// A container sees the release's image; a command of this machine sees the files of this machine.
void refuse_files_that_are_not_there(const Call& call) {
  if (call.has("/service") || call.planned_dir().empty()) return;
  std::error_code none;
  if (std::filesystem::is_empty(call.planned_dir(), none)) return;
  throw Failed("`" + call.texts("/command").front() +
               "` runs on this machine, where the release's files are not in place: rehearse it by "
               "a stage of the pipeline that comes after they are (mode: rehearse)");
}

}  // namespace

bool is_rehearsal(const Call& call) { return call.text("/mode") == "rehearse"; }

Change as_rehearsal(Change change, std::int64_t bytes) {
  if (change.action == "keep") {
    change.detail = "nothing to rehearse: " + change.detail;
    return change;
  }
  if (change.action == "change") {
    change.detail = "on a copy, which is dropped again" +
                    (change.detail.empty() ? std::string() : "; " + change.detail);
    change.disk_bytes = bytes;
  }
  change.action = "check";
  return change;
}

void refuse_to_rehearse_outside(const MigratedDatabase& database) {
  if (!database.direct) return;
  throw BadOptions("database " + database.name + " of " + database.place() +
                   " is outside the deployment, and a rehearsal copies a database by the clients in "
                   "its container; rehearse on a deployment with a restored backup of it");
}

void rehearse(const Call& call, const MigratedDatabase& database,
              const std::optional<MigratorService>& service, const Scripts& scripts,
              const Revisions& current) {
  remember_heads(call, scripts);
  const std::vector<std::string> heads = known_heads(call);
  if (is_at(current, heads)) {
    call.info("nothing to rehearse: database " + database.name + " is at " + of_heads(heads));
    return;
  }
  refuse_files_that_are_not_there(call);
  const MigratedDatabase copy = copy_of(database, copy_name(call, database));
  const Variables variables = variables_of_copy(call, service, database, copy);
  try {
    on_a_copy(call, database, copy, scripts, current, heads, variables);
  } catch (const std::runtime_error& e) {
    const std::string why = e.what();
    end_containers(call);
    try {
      end_copy(call, database);
    } catch (const std::runtime_error& left) {
      throw Failed(why + "; the copy " + copy.name + " is left to the rollback: " + left.what());
    }
    throw Failed(why);
  }
  end_copy(call, database);
}

void verify_rehearsal(const Call& call, const MigratedDatabase& database) {
  refuse_touched(call, database);
  const std::string left = copies_left(call, database);
  if (left != "none") throw Failed("the copy " + left + " of database " + database.name + " is left");
}

void end_copy(const Call& call, const MigratedDatabase& database) {
  const std::string name = call.recall(copy_note).value_or("");
  if (name.empty()) return;
  end_sessions(call, database, {name});  // of the dump, which reads the database itself
  drop_copy(call, copy_of(database, name));
  call.remember(copy_note, "");
  call.info("dropped the copy " + name);
}

void refuse_copy_left(const Call& call) {
  const std::string name = call.recall(copy_note).value_or("");
  if (name.empty()) return;
  throw Failed("the database does not run, so that the copy " + name +
               " of a rehearsal was not dropped; start it, then repeat");
}

}  // namespace drydock::alembic
