// The option `databases`.
#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <set>

#include "compose_engine.h"
#include "compose_planned_stops.h"
#include "database_entry.h"
#include "database_record.h"
#include "file_store.h"
#include "manifest.h"
#include "off_site.h"
#include "old_server.h"
#include "parts.h"
#include "planned_backups.h"
#include "postgres_container.h"

namespace drydock::backup {
namespace {

using compose::Container;

constexpr auto kept_model = "model.json";

Failed not_running(const DatabaseEntry& entry, const std::vector<Container>& all) {
  return Failed("no container of service " + entry.shown +
                " runs in this deployment, so there is nothing to dump; start it, or correct "
                "`service` (running now: " +
                running_services(all) + ")");
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

std::string output_name(const std::string& what, const std::string& database) {
  std::string name = what + "_" + database;
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return c >= 0x80 || (std::isalnum(c) == 0 && c != '_' && c != '-'); },
      '_');
  return name;
}

// What it is called in a sentence: "service db".
std::string shown_place(const DatabaseRecord& record) {
  return (record.at_url ? "" : "service ") + record.service;
}

void report(const Call& call, const DatabaseServer& server, const DatabaseRecord& record,
            bool first) {
  const std::string file = call.private_dir() + "/" + record.dump;
  const std::string rows = std::to_string(record.total_rows()) + " rows in " +
                           std::to_string(record.rows.size()) + " tables";
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", record.seconds);
  call.info("dumped database " + record.name + " of " + shown_place(record) + ": " +
            shown_bytes(record.bytes) + " in " + seconds + ", " + rows + ", revision " +
            describe_revisions(record.revisions));
  const std::string reader =
      record.kind == "postgresql" ? " (pg_restore)" : "";  // the other one is plain SQL
  call.artifact("dump " + record.key(), file,
                server.product() + " dump" + reader + " of database " + record.name + " of " +
                    shown_place(record) + ", " + shown_bytes(record.bytes) + ", " + rows +
                    ", sha256 " + record.sha256);
  call.output(output_name("dump", record.name), file);
  call.output(output_name("sha256", record.name), record.sha256);
  if (!first) return;
  call.output("dump", file);
  call.output("sha256", record.sha256);
}

// All that says what the dump is, once it is there.
void note_dump(const Call& call, const DatabaseRecord& record) {
  write_manifest(call, file_name(record.service) + "-" + file_name(record.name) +
                           attempt_suffix(call),
                 {record.kind, record.name, shown_place(record), record.server, record.revisions,
                  record.rows, record.taken, record.seconds,
                  {{record.dump, record.bytes, record.sha256}}, to_note(record)});
  call.remember("dump/" + record.key(), to_note(record));
}

void restore(const Call& call, const DatabaseServer& server, const DatabaseRecord& record) {
  // Restored by an attempt before this one: only what changed since then matters.
  const bool restored = call.recall("restored/" + record.key()).has_value();
  if ((record.restore != "always" || restored) && server.is_unchanged(call, record)) {
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
      call.fact("database." + name + ".schema", facts.schema);
      call.fact("database." + name + ".revision", describe_revisions(facts.revisions));
      // What an application writes until it is stopped is no part of the upgrade.
      call.informational_fact("database." + name + ".rows", facts.rows);
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
        plan_to_save_database(call, name);
      }
      continue;
    }
    const std::string writing = writers(call, all, entry);
    for (const auto& [name, bytes] : databases(call, entry)) {
      Change change{"database", "save", name};
      change.before = describe_revisions(entry.server->facts(call, name, bytes).revisions);
      change.disk_bytes = bytes;
      change.detail = entry.server->product() + " dump of " + entry.server->description() +
                      ", read back whole";
      if (restore_policy(call) == "never") {
        change.rollback_loses = "nothing is restored by itself, as `restore` is never";
      } else if (!writing.empty()) {
        change.rollback_loses = "rows that " + writing + " write between the dump and the rollback";
      }
      call.change(change);
      plan_to_save_database(call, name);
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
    for (const auto& database : sizes.back()) bytes += database.second;
  }
  check_space(bytes);
  if (entries.empty()) return;
  // What a rollback starts the old database from: by then the deployment's files are others.
  if (!call.model_before().empty()) {
    files::write(call.private_dir() + "/" + kept_model, files::read(call.model_before()));
  }
  bool first = true;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const DatabaseEntry& entry = entries[i];
    const std::string folder = "databases/" + file_name(entry.place()) + "/";
    const std::string accounts =
        call.private_dir() + "/" + folder + "accounts" + attempt_suffix(call) + ".sql";
    files::make_directories(call.private_dir() + "/" + folder);
    auto accounts_dumped = std::async(
        std::launch::async, [&] { return entry.server->dump_accounts(call, accounts); });
    for (const auto& database : sizes[i]) {
      DatabaseRecord record;
      record.kind = entry.server->kind();
      record.options = entry.pointer;
      record.at_url = entry.url.has_value();
      record.service = entry.place();
      if (entry.container) {
        record.container = entry.container->id;
        record.image = entry.container->image;
        record.image_id = entry.container->image_id;
      }
      record.user = entry.server->user();
      record.restore = restore_policy(call);
      record.name = database.first;
      record.dump =
          folder + file_name(record.name) + attempt_suffix(call) + entry.server->dump_suffix();
      entry.server->dump(call, record);
      note_dump(call, record);
      call.informational_fact("database." + record.name + ".rows", rows_text(record.rows));
      report(call, *entry.server, record, first);
      send_copy(call, record.dump);
      first = false;
    }
    dump_accounts(call, entry, accounts, accounts_dumped.get());
  }
}

void DatabasePart::verify(const Call& call) {
  for (const auto& note : call.notes("dump/")) {
    check_dump(call.private_dir(), from_note(note.second));
  }
}

void DatabasePart::rollback(const Call& call) {
  std::map<std::string, std::unique_ptr<DatabaseServer>> servers;  // by service or place
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
      auto server = servers.find(record.service);
      if (server == servers.end()) {
        server = servers
                     .emplace(record.service,
                              old_server(call, record, call.private_dir() + "/" + kept_model,
                                         patience(call)))
                     .first;
      }
      restore(call, *server->second, record);
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Failed(failures);
}

}  // namespace drydock::backup
