// The option `databases`.
#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <set>

#include "compose_engine.h"
#include "compose_planned_stops.h"
#include "database_dump.h"
#include "database_record.h"
#include "database_restore.h"
#include "file_store.h"
#include "old_server.h"
#include "parts.h"
#include "planned_backups.h"
#include "postgres_container.h"
#include "postgres_facts.h"

namespace drydock::backup {
namespace {

using compose::Container;

constexpr auto kept_model = "model.json";

// One entry of the option, and where it runs.
struct Group {
  std::string pointer;
  std::string shown;  // "database, db"
  std::optional<Container> container;
  PostgresServer server;
};

std::string joined(const std::vector<std::string>& items) {
  std::string result;
  for (const std::string& item : items) result += (result.empty() ? "" : ", ") + item;
  return result;
}

std::vector<Group> find_groups(const Call& call, const std::vector<Container>& all) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < call.size("/databases"); ++i) {
    Group group;
    group.pointer = "/databases/" + std::to_string(i);
    const std::vector<std::string> services = call.texts(group.pointer + "/service");
    group.shown = services.empty() ? "PostgreSQL" : joined(services);
    group.container = database_container(all, services);
    if (group.container) {
      const std::string user = call.text(group.pointer + "/user");
      group.server = postgres_in(*group.container, user == "auto" ? "" : user);
      const std::string kind = call.text(group.pointer + "/kind");
      if ((kind.empty() || kind == "auto") && !looks_like_postgres(*group.container)) {
        throw Failed("databases[" + std::to_string(i) + "]: service " + group.container->service +
                     " runs image " + group.container->image +
                     ", which does not look like PostgreSQL; if it is, say so with `kind: "
                     "postgresql`");
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<Container> containers(const Call& call) {
  if (call.size("/databases") == 0) return {};
  if (call.project().empty()) {
    throw BadOptions("`databases` looks for containers, and " + call.deployment_dir() +
                     " is no Compose deployment; use `sqlite` or `files` there");
  }
  return compose::project_containers(call);
}

// The databases that the group means, with their bytes, once the server answers. Throws Failed for
// a name that it does not have.
DatabaseSizes databases(const Call& call, const Group& group) {
  const DatabaseSizes there = wait_for_databases(call, group.server, patience(call));
  const auto applications = application_databases(there, default_database(*group.container));
  std::vector<std::string> wanted = call.texts(group.pointer + "/names");
  if (wanted.empty()) wanted = applications;
  DatabaseSizes found;
  for (const std::string& name : wanted) {
    const auto one = there.find(name);
    if (one == there.end()) {
      throw Failed("PostgreSQL of " + group.server.description + " has no database " + name +
                   "; it has " + (applications.empty() ? "none" : joined(applications)));
    }
    found.insert(*one);
  }
  return found;
}

Failed not_running(const Group& group, const std::vector<Container>& all) {
  return Failed("no container of service " + group.shown +
                " runs in this deployment, so there is nothing to dump; start it, or correct "
                "`service` (running now: " +
                running_services(all) + ")");
}

// Services that may go on writing while the dump is taken: those that run now and that no earlier
// stage will have stopped.
std::string writers(const Call& call, const std::vector<Container>& all, const Group& group) {
  const std::set<std::string> stopped = compose::planned_stops(call);
  std::vector<Container> others;
  for (const Container& one : all) {
    if (one.id != group.container->id && stopped.count(one.service) == 0) others.push_back(one);
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

void report(const Call& call, const DatabaseRecord& record, bool first) {
  const std::string file = call.private_dir() + "/" + record.dump;
  const std::string rows = std::to_string(record.total_rows()) + " rows in " +
                           std::to_string(record.rows.size()) + " tables";
  call.info("dumped database " + record.name + " of service " + record.service + ": " +
            shown_bytes(record.bytes) + ", " + rows + ", revision " +
            describe_revisions(record.revisions));
  call.artifact("dump " + record.key(), file,
                "PostgreSQL dump (pg_restore) of database " + record.name + " of service " +
                    record.service + ", " + shown_bytes(record.bytes) + ", " + rows + ", sha256 " +
                    record.sha256);
  call.output(output_name("dump", record.name), file);
  call.output(output_name("sha256", record.name), record.sha256);
  if (!first) return;
  call.output("dump", file);
  call.output("sha256", record.sha256);
}

void restore(const Call& call, const PostgresServer& server, const DatabaseRecord& record) {
  // Restored by an attempt before this one: only what changed since then matters.
  const bool restored = call.recall("restored/" + record.key()).has_value();
  if ((record.restore != "always" || restored) && is_unchanged(call, server, record)) {
    if (restored) put_properties_back(call, server, record);
    call.info("database " + record.name + " is as it was when it was dumped");
    return;
  }
  call.info("restoring database " + record.name + " from its dump");
  const std::string failed = restore_database(call, server, record);
  call.warn("database " + record.name + " was restored from its dump of before the run: " +
            std::to_string(record.total_rows()) + " rows, revision " +
            describe_revisions(record.revisions));
  if (failed.empty()) return;
  std::string command;
  for (const std::string& word : server.reach) {
    if (word != "--env" && word != "PGPASSWORD") command += word + " ";
  }
  call.warn("what the failed upgrade left is kept as database " + failed +
            "; drop it with: " + command + "dropdb --username " + server.user + " " + failed);
}

}  // namespace

void DatabasePart::observe(const Call& call) {
  for (const Group& group : find_groups(call, containers(call))) {
    if (!group.container) {
      const auto wanted = call.texts(group.pointer + "/names");
      if (wanted.empty()) call.fact("databases." + group.shown, "not running");
      for (const std::string& name : wanted) {
        call.fact("database." + name + ".schema", "not running");
        call.fact("database." + name + ".revision", "not running");
      }
      continue;
    }
    const DatabaseSizes all = databases(call, group);
    if (!call.has(group.pointer + "/names")) {
      std::vector<std::string> names;
      for (const auto& one : all) names.push_back(one.first);
      call.fact("databases." + group.shown, joined(names));
    }
    for (const auto& [name, bytes] : all) {
      const DatabaseFacts facts = database_facts(call, group.server, name, bytes);
      call.fact("database." + name + ".schema", facts.schema);
      call.fact("database." + name + ".revision", describe_revisions(facts.revisions));
      // What an application writes until it is stopped is no part of the upgrade.
      call.informational_fact("database." + name + ".rows", facts.rows);
    }
  }
}

void DatabasePart::plan(const Call& call) {
  const std::vector<Container> all = containers(call);
  std::string missing;
  for (const Group& group : find_groups(call, all)) {
    if (!group.container) {
      missing = group.shown;
      for (const std::string& name : call.texts(group.pointer + "/names")) {
        Change change{"database", "save", name};
        change.disk_bytes = -1;
        change.detail = "service " + group.shown + " does not run now";
        call.change(change);
        plan_to_save_database(call, name);
      }
      continue;
    }
    const std::string writing = writers(call, all, group);
    for (const auto& [name, bytes] : databases(call, group)) {
      Change change{"database", "save", name};
      change.before = describe_revisions(database_facts(call, group.server, name, bytes).revisions);
      change.disk_bytes = bytes;
      change.detail = "PostgreSQL dump of " + group.server.description + ", read back whole";
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
  const std::vector<Container> all = containers(call);
  std::vector<std::pair<Group, DatabaseSizes>> groups;
  std::int64_t bytes = 0;
  for (Group& group : find_groups(call, all)) {
    if (!group.container) throw not_running(group, all);
    DatabaseSizes sizes = databases(call, group);
    for (const auto& database : sizes) bytes += database.second;
    groups.emplace_back(std::move(group), std::move(sizes));
  }
  check_space(bytes);
  if (groups.empty()) return;
  // What a rollback starts the old database from: by then the deployment's files are others.
  if (!call.model_before().empty()) {
    files::write(call.private_dir() + "/" + kept_model, files::read(call.model_before()));
  }
  bool first = true;
  for (const auto& [group, sizes] : groups) {
    const std::string folder = "databases/" + file_name(group.container->service) + "/";
    const std::string roles =
        call.private_dir() + "/" + folder + "roles" + attempt_suffix(call) + ".sql";
    files::make_directories(call.private_dir() + "/" + folder);
    auto roles_dumped = std::async(std::launch::async, dump_roles, std::cref(call),
                                   std::cref(group.server), std::cref(roles));
    for (const auto& database : sizes) {
      const std::string& name = database.first;
      DatabaseRecord record;
      record.service = group.container->service;
      record.container = group.container->id;
      record.image = group.container->image;
      record.image_id = group.container->image_id;
      record.user = group.server.user;
      record.restore = restore_policy(call);
      record.name = name;
      record.dump = folder + file_name(name) + attempt_suffix(call) + ".dump";
      dump_database(call, group.server, record);
      call.remember("dump/" + record.key(), to_note(record));
      call.informational_fact("database." + name + ".rows", rows_text(record.rows));
      report(call, record, first);
      first = false;
    }
    if (roles_dumped.get()) {
      call.artifact("roles " + group.container->service, roles,
                    "PostgreSQL roles of service " + group.container->service +
                        ", for a restore on another server");
    } else {
      call.info("the roles of " + group.server.description + " may not be read by user " +
                group.server.user + "; the dumps do not need them on this server");
    }
  }
}

void DatabasePart::verify(const Call& call) {
  for (const auto& note : call.notes("dump/")) {
    check_dump(call.private_dir(), from_note(note.second));
  }
}

void DatabasePart::rollback(const Call& call) {
  std::map<std::string, PostgresServer> servers;  // by service
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
      restore(call, server->second, record);
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Failed(failures);
}

}  // namespace drydock::backup
