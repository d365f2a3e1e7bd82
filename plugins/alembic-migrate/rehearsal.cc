#include "rehearsal.h"

#include <chrono>
#include <filesystem>

#include "database_copy.h"
#include "migration_plan.h"
#include "migration_run.h"
#include "migrator.h"
#include "named_database.h"
#include "rehearsal_guard.h"
#include "rehearsal_model.h"
#include "rehearsal_picture.h"
#include "rehearsal_record.h"
#include "rehearsal_room.h"
#include "rehearsal_target.h"
#include "rehearsal_variables.h"
#include "revision_watch.h"
#include "table_sizes.h"

namespace drydock::alembic {
namespace {

constexpr auto copy_note = "copy", dump_note = "dump";

std::string of_heads(const std::vector<std::string>& heads) { return describe(Revisions(heads)); }

// How long it took, in seconds.
double migrate_copy(const Call& call, const MigratedDatabase& database,
                    const MigratedDatabase& copy, const Scripts& scripts, const Revisions& current,
                    const std::vector<std::string>& heads, const Variables& variables) {
  const std::string name = container_name(call, "migrate");
  RehearsalGuard guard(call, database, copy, name);
  const auto began = std::chrono::steady_clock::now();
  MigratorEnd end;
  {
    RevisionWatch watch(call, copy, current, scripts.graph ? &*scripts.graph : nullptr);
    watch.start([&guard] { return guard.reached(); });
    end = start_migrator(call, name, variables);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::string failure = guard.end();
  refuse_touched(call, database);
  if (failure.empty() && !end.exit.ok()) {
    failure = migration_failure(call, copy, end, 1, current).what();
  }
  const Revisions found = failure.empty() ? current_revisions(call, copy) : std::nullopt;
  if (failure.empty() && !is_at(found, heads)) {
    failure = mismatch(call, copy, found, heads) +
              (end.last_words.empty() ? "" : " (" + end.last_words + ")");
  }
  if (failure.empty()) return took.count();
  throw Failed("the rehearsal failed after " + shown_seconds(took.count()) + ", and database " +
               database.name + " is as it was: " + failure);
}

std::string words_of_rows(const RowCounts& before, const std::string& differences) {
  if (!differences.empty()) return "it changes the rows of tables: " + differences;
  const std::string tables = before.size() == 1
                                 ? "the one table has"
                                 : "all " + std::to_string(before.size()) + " tables have";
  return tables + " as many rows as before";
}

void on_a_copy(const Call& call, const MigratedDatabase& database, const MigratedDatabase& copy,
               const Scripts& scripts, const Revisions& current,
               const std::vector<std::string>& heads, const Variables& variables) {
  const ServerLog log = server_log(call, database);
  const Room room = room_for_copy(database_bytes(call, database), log);
  refuse_without_room(call, database, room);
  note_picture(call, database);
  const std::string dump = container_name(call, "dump");
  note_session(call, dump);
  call.remember(dump_note, dump);
  call.remember(copy_note, copy.name);
  call.info("copying database " + database.name + " (" + bytes_text(room.database) + ") to " +
            copy.name);
  if (const std::string words = words_of_log(room, log); !words.empty()) call.info(words);
  make_copy(call, database, copy, dump);
  const RowCounts rows = row_counts(call, copy);
  show_that_it_goes_to_the_copy(call, copy, current, heads, variables);
  call.info("the migrator gets the copy by " + names_of(variables));
  const double seconds = migrate_copy(call, database, copy, scripts, current, heads, variables);
  const std::string differences = row_differences(rows, row_counts(call, copy));
  if (!differences.empty()) {
    call.warn("the migration changes how many rows tables of database " + database.name +
              " have: " + differences);
  }
  const Rehearsal done{database.name, describe(current), of_heads(heads),
                       today(),       seconds,           room.database};
  keep_rehearsal(call, done);
  const std::string found = "database " + database.name + ": the migration " + done.from + " -> " +
                            done.to + " took " + shown_seconds(seconds) + " on a copy of " +
                            bytes_text(room.database) + "; " + words_of_rows(rows, differences);
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

// Ends all that the rehearsal has started. "": nothing is left, else what to say of it.
std::string what_is_left(const Call& call, const MigratedDatabase& database) {
  std::string left;
  const auto end = [&](auto action) {
    try {
      action();
    } catch (const std::runtime_error& e) {
      left += (left.empty() ? "; left to the rollback: " : "; ") + std::string(e.what());
    }
  };
  end([&] { end_containers(call); });
  end([&] { end_copy(call, database); });
  return left;
}

}  // namespace

bool is_rehearsal(const Call& call) { return call.text("/mode") == "rehearse"; }

Change as_rehearsal(const Call& call, Change change,
                    const std::optional<MigratedDatabase>& database) {
  if (change.action == "keep") {
    change.detail = "nothing to rehearse: " + change.detail;
    return change;
  }
  if (change.action == "change") {
    change.detail = "on a copy, which is dropped again" +
                    (change.detail.empty() ? std::string() : "; " + change.detail);
    if (database) {
      const ServerLog log = server_log(call, *database);
      const Room room = room_for_copy(database_bytes(call, *database), log);
      change.disk_bytes = room.all();
      if (const std::string words = words_of_log(room, log); !words.empty()) {
        change.detail += "; " + words;
      }
    }
  }
  change.action = "check";
  return change;
}

void rehearse(const Call& call, const MigratedDatabase& database,
              const std::optional<MigratorService>& service, const Scripts& scripts,
              const Revisions& current) {
  refuse_touched(call, database);  // by an attempt before this one
  prepare_rehearsal_model(call, service ? service->image : "");
  remember_heads(call, scripts);
  const std::vector<std::string> heads = known_heads(call);
  drop_older_copies(call, database);
  if (is_at(current, heads)) {
    call.info("nothing to rehearse: database " + database.name + " is at " + of_heads(heads));
    return remove_rehearsal_model(call);
  }
  refuse_files_that_are_not_there(call);
  refuse_named_database(call, database, scripts, current);
  const MigratedDatabase copy = copy_of(database, copy_name(call, database));
  const Variables variables = variables_of_copy(call, service, database, copy);
  try {
    on_a_copy(call, database, copy, scripts, current, heads, variables);
  } catch (const std::runtime_error& e) {
    const std::string why = e.what();
    throw Failed(why + what_is_left(call, database));
  }
  end_copy(call, database);
}

void verify_rehearsal(const Call& call, const MigratedDatabase& database) {
  refuse_touched(call, database);
  const std::string left = copies_left(call, database);
  if (left != "none") {
    throw Failed("the copy " + left + " of database " + database.name + " is left");
  }
}

void end_copy(const Call& call, const MigratedDatabase& database) {
  remove_rehearsal_model(call);
  const std::string name = call.recall(copy_note).value_or("");
  if (name.empty()) return;
  end_dump(call, database, call.recall(dump_note).value_or(name));
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
