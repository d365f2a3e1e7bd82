// The option `databases`.
#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <set>

#include "compose_engine.h"
#include "compose_planned_stops.h"
#include "database_backup.h"
#include "database_entry.h"
#include "database_record.h"
#include "file_store.h"
#include "mariadb_dump.h"
#include "old_server.h"
#include "parts.h"
#include "planned_backups.h"
#include "postgres_container.h"

namespace drydock::backup {
namespace {

using compose::Container;

Failed not_running(const DatabaseEntry& entry, const std::vector<Container>& all) {
  return Failed("no container of service " + entry.shown +
                " runs in this deployment, so there is nothing to dump; start it, or correct "
                "`service` (running now: " +
                running_services(all) + ")");
}

// A backup that keeps nothing looks like one until it is needed.
void refuse_nothing(const DatabaseEntry& entry, const DatabaseSizes& databases) {
  if (!databases.empty()) return;
  throw Failed(entry.server->product() + " of " + entry.server->description() +
               " has no database but its own, so that nothing would be kept; name with `names` "
               "what is to be kept, or leave the entry out");
}

// Services that may go on writing while the dump is taken: those that run now and that no earlier
// stage will have stopped.
std::string writers(const Call& call, const std::vector<Container>& all,
                    const DatabaseEntry& entry) {
  if (!entry.container) return "its clients";
  const std::set<std::string> stopped = compose::planned_stops(call);
  std::vector<Container> others;
  for (const Container& one : all) {
    if (one.id != entry.container->id && stopped.count(one.service) == 0) others.push_back(one);
  }
  const std::string running = running_services(others);
  return running == "none" ? "" : running;
}

void restore(const Call& call, const DatabaseServer& server, const DatabaseRecord& record) {
  // Restored by an attempt before this one: only what changed since then matters.
  const bool restored = server.was_restored(call, record);
  if ((record.restore != "always" || restored) &&
      server.is_unchanged(call, call.private_dir(), record)) {
    if (restored) server.put_properties_back(call, record);
    call.info("database " + record.name + " is as it was when it was dumped");
    return;
  }
  call.info("restoring database " + record.name + " from its dump");
  const std::string kept = server.restore(call, call.private_dir(), record);
  call.warn("database " + record.name + " was restored from its dump of before the run: " +
            std::to_string(record.total_rows()) + " rows, revision " +
            describe_revisions(record.revisions));
  if (!kept.empty()) call.warn(kept);
}

void dump_accounts(const Call& call, const DatabaseEntry& entry, const std::string& file,
                   bool dumped) {
  if (dumped) {
    call.artifact("accounts " + entry.place(), file,
                  entry.server->product() + " accounts of " + entry.server->description() +
                      ", for a restore on another server");
  } else {
    call.info("the accounts of " + entry.server->description() + " may not be read by user " +
              entry.server->user() + "; the dumps do not need them on this server");
  }
}

}  // namespace

void DatabasePart::observe(const Call& call) {
  std::set<std::string> known;  // two servers may have a database of one name
  for (const DatabaseEntry& entry : find_entries(call, database_containers(call))) {
    if (!entry.server) {
      const auto wanted = call.texts(entry.pointer + "/names");
      if (wanted.empty()) call.fact("databases." + entry.shown, "not running");
      for (const std::string& name : wanted) {
        call.fact("database." + name + ".schema", "not running");
        call.fact("database." + name + ".revision", "not running");
      }
      continue;
    }
    const DatabaseSizes all = databases(call, entry);
    if (!call.has(entry.pointer + "/names")) {
      std::vector<std::string> names;
      for (const auto& one : all) names.push_back(one.first);
      call.fact("databases." + entry.shown, joined(names));
    }
    for (const auto& [name, bytes] : all) {
      const DatabaseFacts facts = entry.server->facts(call, name, bytes);
      const std::string fact =
          "database." + (known.insert(name).second ? name : entry.place() + "/" + name);
      call.fact(fact + ".schema", facts.schema);
      call.fact(fact + ".revision", describe_revisions(facts.revisions));
      // What an application writes until it is stopped is no part of the upgrade.
      call.informational_fact(fact + ".rows", facts.rows);
    }
  }
}

void DatabasePart::plan(const Call& call) {
  const std::vector<Container> all = database_containers(call);
  std::string missing;
  for (const DatabaseEntry& entry : find_entries(call, all)) {
    if (!entry.server) {
      missing = entry.shown;
      for (const std::string& name : call.texts(entry.pointer + "/names")) {
        Change change{"database", "save", name};
        change.disk_bytes = -1;
        change.detail = "service " + entry.shown + " does not run now";
        call.change(change);
        plan_to_save_database(call, name, "");
      }
      continue;
    }
    const std::string writing = writers(call, all, entry);
    const DatabaseSizes found = databases(call, entry);
    refuse_nothing(entry, found);
    for (const auto& [name, bytes] : found) {
      Change change{"database", "save", name};
      change.before = describe_revisions(entry.server->facts(call, name, bytes).revisions);
      change.disk_bytes = bytes;
      change.detail =
          entry.server->product() + " dump of " + entry.server->description() + ", read back whole";
      if (restore_policy(call) == "never") {
        change.rollback_loses = "nothing is restored by itself, as `restore` is never";
      } else if (!writing.empty()) {
        change.rollback_loses = "rows that " + writing + " write between the dump and the rollback";
      }
      call.change(change);
      plan_to_save_database(call, name, entry.server->description());
    }
  }
  if (!missing.empty()) throw Unknown("once service " + missing + " runs");
}

void DatabasePart::run(const Call& call, const std::function<void(std::int64_t)>& check_space) {
  const std::vector<Container> all = database_containers(call);
  std::vector<DatabaseEntry> entries = find_entries(call, all);
  std::vector<DatabaseSizes> sizes;
  std::int64_t bytes = 0;
  for (const DatabaseEntry& entry : entries) {
    if (!entry.server) throw not_running(entry, all);
    sizes.push_back(databases(call, entry));
    refuse_nothing(entry, sizes.back());
    for (const auto& database : sizes.back()) bytes += database.second;
  }
  check_space(bytes);
  if (entries.empty()) return;
  keep_model(call);  // by the time of a rollback the deployment's files are others
  bool first = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const DatabaseEntry& entry = entries[i];
    const std::string folder = "databases/" + file_name(entry.place()) + "/";
    const std::string accounts =
        call.private_dir() + "/" + folder + "accounts" + attempt_suffix(call) + ".sql";
    files::make_directories(call.private_dir() + "/" + folder);
    auto accounts_dumped =
        std::async(std::launch::async, [&] { return entry.server->dump_accounts(call, accounts); });
    for (const auto& database : sizes[i]) {
      DatabaseRecord record =
          new_record(call, *entry.server, entry.place(),
                     entry.container ? &*entry.container : nullptr, entry.pointer, database.first);
      back_up(call, *entry.server, record, first);
      first = false;
    }
    dump_accounts(call, entry, accounts, accounts_dumped.get());
  }
}

void DatabasePart::verify(const Call& call) {
  const std::string check = call.text("/check");
  std::string failures;
  for (const auto& [key, note] : call.notes("dump/")) {
    try {
      const DatabaseRecord record = from_note(note);
      check_dump(call.private_dir(), record);
      if (check.empty() || check == "hash") continue;
      if (check == "restore") {
        present_server(call, record, "")->try_restore(call, call.private_dir(), record);
        call.info("the dump of database " + record.name + " was restored on trial: " +
                  std::to_string(record.total_rows()) + " rows as noted");
      } else {
        if (record.kind == "postgresql") {
          present_server(call, record, "")->read_back(call, call.private_dir(), record);
        } else {
          read_back_sql(call.private_dir(), record);  // no server is needed for that
        }
        call.info("the dump of database " + record.name + " was read to its end");
      }
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Failed(failures);
}

void DatabasePart::rollback(const Call& call) {
  // By place and how it is reached.
  std::map<std::pair<std::string, std::string>, std::unique_ptr<DatabaseServer>> servers;
  std::string failures;
  for (const auto& [key, note] : call.notes("dump/")) {
    try {
      const DatabaseRecord record = from_note(note);
      if (record.restore == "never") {
        call.warn("database " + record.name +
                  " is not restored, as `restore` is never; its dump is " + call.private_dir() +
                  "/" + record.dump);
        continue;
      }
      auto& server = servers[{record.service, record.options}];
      if (!server) {
        server = old_server(call, record, call.private_dir() + "/" + kept_model, patience(call));
      }
      restore(call, *server, record);
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Failed(failures);
}

}  // namespace drydock::backup
