#include "restore_stage.h"

#include <unistd.h>

#include <algorithm>
#include <functional>

#include "compose_engine.h"
#include "database_backup.h"
#include "file_store.h"
#include "kept_files.h"
#include "kept_sqlite.h"
#include "manifest.h"
#include "old_server.h"
#include "parts.h"
#include "planned_backups.h"
#include "postgres_container.h"
#include "sqlite_file.h"

using namespace drydock::backup;
using drydock::BadOptions;
using drydock::Call;
using drydock::Change;
using drydock::DatabaseFacts;
using drydock::DatabaseSizes;
using drydock::Failed;
using drydock::Unknown;
namespace compose = drydock::compose;

namespace {

struct Contents {
  std::string folder;  // of the backup
  std::vector<DatabaseRecord> databases;
  std::vector<SqliteRecord> files;
};

bool wanted(const std::vector<std::string>& only, const std::string& name) {
  return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
}

// What is to be restored. Of what several attempts have kept, the last one counts.
Contents contents(const Call& call) {
  Contents result;
  result.folder = call.deployment(call.text("/from"));
  const std::vector<std::string> only = call.texts("/only");
  std::map<std::string, DatabaseRecord> databases;
  std::map<std::string, SqliteRecord> files;
  std::vector<std::string> there;
  for (const auto& [id, record] :
       manifest_records(result.folder, {"postgresql", "mariadb", "mysql"})) {
    DatabaseRecord one = from_note(record);
    there.push_back(one.name);
    DatabaseRecord& newest = databases[one.key()];
    if (wanted(only, one.name) && newest.taken <= one.taken) newest = std::move(one);
  }
  for (const auto& [id, record] : manifest_records(result.folder, {"sqlite"})) {
    SqliteRecord one = sqlite_from_note(record);
    there.push_back(shown(call, one.path));
    SqliteRecord& newest = files[one.path];
    if (wanted(only, shown(call, one.path)) && newest.taken <= one.taken) newest = std::move(one);
  }
  for (auto& [key, record] : databases) {
    if (!record.name.empty()) result.databases.push_back(std::move(record));
  }
  for (auto& [path, record] : files) {
    if (!record.path.empty()) result.files.push_back(std::move(record));
  }
  for (const std::string& name : only) {
    if (std::find(there.begin(), there.end(), name) == there.end()) {
      throw BadOptions("the backup " + result.folder + " has no database " + name + "; it has " +
                       (there.empty() ? "none" : joined(there)));
    }
  }
  if (result.databases.empty() && result.files.empty()) {
    throw BadOptions("there is no backup of a database in " + result.folder +
                     "; `drydock backups list` names those that are");
  }
  return result;
}

// Who may go on writing into what is restored.
std::string others_running(const Call& call, const DatabaseRecord& record) {
  if (record.at_url) return "";
  const auto own = running_container(call, record);
  std::vector<compose::Container> others;
  for (const compose::Container& one : compose::project_containers(call)) {
    if (one.service != (own ? own->service : record.service)) others.push_back(one);
  }
  const std::string running = drydock::running_services(others);
  return running == "none" ? "" : running;
}

bool runs(const Call& call, const DatabaseRecord& record) {
  return record.at_url || running_container(call, record);
}

constexpr auto started_note = "started/";  // with the service

// One that does not run is started for the restore, and a rollback stops it again.
std::unique_ptr<DatabaseServer> server_for_restore(const Call& call, const DatabaseRecord& record,
                                                   const std::string& folder) {
  if (!runs(call, record)) call.remember(started_note + record.service, record.service);
  return present_server(call, record, folder);
}

void stop_what_was_started(const Call& call) {
  std::vector<std::string> ids;
  for (const auto& [key, service] : call.notes(started_note)) {
    for (const compose::Container& one : compose::project_containers(call)) {
      if (one.serves() && one.service == service && one.runs()) ids.push_back(one.id);
    }
  }
  if (ids.empty()) return;
  compose::stop_containers(call, ids, std::nullopt);
  call.info("the database, which did not run before, was stopped again");
}

// Damage to what stands there is what one restores for, so that it keeps nobody from it.
template <class Reads>
auto unless_damaged(const Call& call, const std::string& name, Reads reads)
    -> std::optional<decltype(reads())> {
  try {
    return reads();
  } catch (const drydock::Unknown&) {
    throw;
  } catch (const BadOptions&) {
    throw;
  } catch (const std::runtime_error& e) {
    call.warn("what stands in " + name + " cannot be read: " + e.what());
    return std::nullopt;
  }
}

constexpr auto unreadable = "unreadable";
constexpr auto loses_unreadable =
    "what stands there now, which cannot be read: it is kept as far as it can be, and not put back";

// What stands there becomes a backup of its own, from which a rollback restores.
void keep_present(const Call& call, const DatabaseServer& server, const DatabaseRecord& record,
                  bool first) {
  for (const char* note : {"dump/", "made/", "failed/", "restoring/"}) {
    // By an attempt that died since; by now it may be half restored.
    if (call.recall(note + record.key())) return;
  }
  const DatabaseSizes there = server.wait_for(call, patience(call));
  const auto present = there.find(record.name);
  if (present == there.end()) {
    call.remember("made/" + record.key(), record.name);
    return;
  }
  check_space(call, present->second);
  const auto container = running_container(call, record);
  DatabaseRecord now = new_record(call, server, record.service, container ? &*container : nullptr,
                                  record.options, record.name);
  drydock::files::make_directories(call.private_dir() + "/databases/" + file_name(record.service));
  try {
    back_up(call, server, now, first);
    call.remember("failed/" + record.key(), call.private_dir() + "/" + now.dump);
  } catch (const Failed& e) {
    // The plan has said so of one that is damaged, and the server's own way to restore keeps of it
    // what it can. Anything else, such as a full disk, would take the way back.
    const bool damaged = !unless_damaged(call, "database " + record.name,
                                         [&] { return server.facts(call, record.name, -1); });
    if (damaged) return;
    throw Failed("what stands in database " + record.name + " cannot be backed up whole (" +
                 e.what() +
                 "), so that a rollback of this restore could not put it back, and "
                 "it was left alone");
  }
}

bool is_damaged(const Call& call, const SqliteRecord& record) {
  return ::access(record.path.c_str(), F_OK) == 0 &&
         !unless_damaged(call, shown(call, record.path), [&] {
           return drydock::sqlite_content(record.path, drydock::SqliteData::count);
         });
}

void keep_present_file(const Call& call, const SqliteRecord& record, std::size_t i) {
  const std::string name = shown(call, record.path);
  try {
    save_sqlite(call, name, i);
  } catch (const std::runtime_error&) {
    if (!is_damaged(call, record)) throw;
  }
}

}  // namespace

void Restore::observe(Call& call) {
  const Contents from = contents(call);
  for (const DatabaseRecord& record : from.databases) {
    const std::string name = "database." + record.name;
    if (!runs(call, record)) {
      call.fact(name + ".schema", "not running");
      continue;
    }
    const auto server = present_server(call, record, from.folder);
    const DatabaseSizes there = server->wait_for(call, patience(call));
    const auto present = there.find(record.name);
    if (present == there.end()) {
      call.fact(name + ".schema", "absent");
      continue;
    }
    const auto facts = unless_damaged(call, "database " + record.name, [&] {
      return server->facts(call, record.name, present->second);
    });
    call.fact(name + ".schema", facts ? facts->schema : unreadable);
    call.fact(name + ".revision", facts ? describe_revisions(facts->revisions) : unreadable);
    call.informational_fact(name + ".rows", facts ? facts->rows : unreadable);
  }
  for (const SqliteRecord& record : from.files) {
    const std::string name = "sqlite." + shown(call, record.path);
    if (::access(record.path.c_str(), F_OK) != 0) {
      call.fact(name + ".schema", "absent");
      continue;
    }
    const auto content = unless_damaged(call, record.path, [&] {
      return drydock::sqlite_content(record.path, drydock::SqliteData::count);
    });
    call.fact(name + ".schema", content ? content->schema : unreadable);
    call.informational_fact(name + ".rows", content ? rows_text(content->rows) : unreadable);
  }
}

void Restore::plan(Call& call) {
  const Contents from = contents(call);
  std::string missing;
  for (const DatabaseRecord& record : from.databases) {
    check_dump(from.folder, record);
    Change change{"database", "change", record.name};
    change.after = describe_revisions(record.revisions);
    change.detail = "as it was " + record.taken + ": " + std::to_string(record.total_rows()) +
                    " rows; what was written since goes, and is dumped first";
    const std::string others = others_running(call, record);
    if (!others.empty()) change.detail += "; stop what writes to it beforehand (" + others + ")";
    if (runs(call, record)) {
      const auto server = present_server(call, record, from.folder);
      const DatabaseSizes there = server->wait_for(call, patience(call));
      const auto present = there.find(record.name);
      change.before = "absent";
      if (present != there.end()) {
        const auto facts = unless_damaged(call, "database " + record.name, [&] {
          return server->facts(call, record.name, present->second);
        });
        change.before = facts ? describe_revisions(facts->revisions) : unreadable;
        if (!facts) change.rollback_loses = loses_unreadable;
      }
      change.disk_bytes = present == there.end() ? 0 : present->second;
    } else {
      missing = record.service;
      change.disk_bytes = -1;
    }
    call.change(change);
    plan_to_save_database(call, record.name, "");
  }
  for (const SqliteRecord& record : from.files) {
    check_copy(from.folder, record);
    Change change{"database", "change", shown(call, record.path)};
    change.after = describe_revisions(record.revisions);
    change.detail = "as it was " + record.taken + "; what stands there is copied first";
    if (is_damaged(call, record)) {
      change.before = unreadable;
      change.rollback_loses = loses_unreadable;
    }
    call.change(change);
  }
  if (!missing.empty()) throw Unknown("once service " + missing + " runs");
}

void Restore::run(Call& call) {
  remove_part_files(call);
  const Contents from = contents(call);
  for (const DatabaseRecord& record : from.databases) check_dump(from.folder, record);
  for (const SqliteRecord& record : from.files) check_copy(from.folder, record);
  keep_model(call);
  bool first = true;
  for (const DatabaseRecord& record : from.databases) {
    const auto server = server_for_restore(call, record, from.folder);
    keep_present(call, *server, record, first);
    first = false;
    const std::string kept = server->restore(call, from.folder, record);
    call.info("database " + record.name + " was restored as it was " + record.taken + ": " +
              std::to_string(record.total_rows()) + " rows, revision " +
              describe_revisions(record.revisions));
    if (!kept.empty()) call.info(kept);
  }
  for (std::size_t i = 0; i < from.files.size(); ++i) {
    const SqliteRecord& record = from.files[i];
    const std::string name = shown(call, record.path);
    if (!call.recall("sqlite/" + std::to_string(i))) keep_present_file(call, record, i);
    const std::string done =
        put_back(call, from.folder, record, true, aside_folder, patience(call));
    call.info(name + " was " + done + " as it was " + record.taken);
  }
}

void Restore::verify(Call& call) {
  const Contents from = contents(call);
  for (const DatabaseRecord& record : from.databases) {
    const DatabaseFacts facts =
        present_server(call, record, from.folder)->facts(call, record.name, -1);
    if (facts.schema == record.schema && facts.revisions == record.revisions) continue;
    const bool revised = facts.revisions != record.revisions;
    throw Failed("database " + record.name + " was restored and is not what was dumped: " +
                 (revised ? "revision " + describe_revisions(facts.revisions) + ", noted was " +
                                describe_revisions(record.revisions)
                          : "schema " + facts.schema + ", noted was " + record.schema) +
                 "; something wrote into it meanwhile");
  }
}

void Restore::rollback(Call& call) {
  remove_part_files(call);
  std::string failures;
  const auto attempt = [&](const std::function<void()>& put_it_back) {
    try {
      put_it_back();
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  };
  attempt([&] { SqlitePart::rollback(call); });
  attempt([&] { DatabasePart::rollback(call); });
  attempt([&] {
    if (call.notes("made/").empty()) return;
    const Contents from = contents(call);
    for (const DatabaseRecord& record : from.databases) {
      if (!call.recall("made/" + record.key())) continue;
      present_server(call, record, from.folder)->drop(call, record.name);
      call.info("database " + record.name + ", which was not there before, was dropped again");
    }
  });
  attempt([&] {
    if (failures.empty()) stop_what_was_started(call);
  });
  if (!failures.empty()) throw Failed(failures);
}
