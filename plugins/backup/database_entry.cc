#include "database_entry.h"

#include "compose_engine.h"
#include "mariadb_container.h"
#include "mariadb_databases.h"
#include "outside_server.h"
#include "parts.h"
#include "postgres_container.h"
#include "postgres_databases.h"

namespace drydock::backup {
namespace {

using compose::Container;

std::string kind_option(const Call& call, const std::string& pointer) {
  const std::string kind = call.text(pointer + "/kind");
  return kind.empty() ? "auto" : kind;
}

std::string shown_index(const std::string& pointer) {
  return "databases[" + pointer.substr(pointer.rfind('/') + 1) + "]";
}

// What of kind, service, url and file stands together.
void check(const Call& call, const std::string& pointer) {
  const bool file = call.has(pointer + "/file"), url = call.has(pointer + "/url");
  const std::string kind = kind_option(call, pointer), shown = shown_index(pointer);
  if (file + url + call.has(pointer + "/service") > 1) {
    throw BadOptions(shown + ": one of `service`, `url` and `file` says where the database is");
  }
  if (file && kind != "auto" && kind != "sqlite") {
    throw BadOptions(shown + ": `file` is for SQLite, and `kind` is " + kind);
  }
  if (!file && kind == "sqlite") {
    throw BadOptions(shown + ": `kind: sqlite` needs `file`, the path of the database");
  }
  if (file && call.has(pointer + "/names")) {
    throw BadOptions(shown + ": a file is one database, so `names` does not go with it");
  }
}

bool is_of_kind(const Container& container, const std::string& kind) {
  if (kind == "postgresql") return looks_like_postgres(container);
  if (kind == "mariadb" || kind == "mysql") return looks_like_mariadb(container);
  return looks_like_database(container);
}

DatabaseEntry at_url(const Call& call, const std::string& pointer) {
  DatabaseEntry entry;
  entry.pointer = pointer;
  entry.url = parse_database_url(call.secret(pointer + "/url").value_or(""));
  if (const auto password = call.secret(pointer + "/password")) entry.url->password = *password;
  if (const std::string user = call.text(pointer + "/user"); !user.empty() && user != "auto") {
    entry.url->user = user;
  }
  const std::string kind = kind_option(call, pointer);
  if (kind != "auto" && (kind == "postgresql") != (entry.url->kind == "postgresql")) {
    throw BadOptions(shown_index(pointer) + ": `kind` is " + kind + ", and the URL is of " +
                     entry.url->kind);
  }
  entry.shown = entry.url->place();
  entry.server = server_at(call, *entry.url);
  return entry;
}

DatabaseEntry in_container(const Call& call, const std::string& pointer,
                           const std::vector<Container>& all) {
  DatabaseEntry entry;
  entry.pointer = pointer;
  const std::string kind = kind_option(call, pointer);
  const std::vector<std::string> services = call.texts(pointer + "/service");
  entry.shown = services.empty() ? "a database" : joined(services);
  entry.container = database_container(all, services,
                                       [&](const Container& one) { return is_of_kind(one, kind); });
  if (!entry.container) return entry;
  if (kind == "auto" && !looks_like_database(*entry.container)) {
    throw Failed(shown_index(pointer) + ": service " + entry.container->service + " runs image " +
                 entry.container->image +
                 ", which looks like neither PostgreSQL nor MariaDB nor MySQL; if it is one, say "
                 "so with `kind`");
  }
  const std::string user = call.text(pointer + "/user");
  entry.server = server_in(call, *entry.container, kind, user == "auto" ? "" : user, pointer);
  return entry;
}

}  // namespace

bool looks_like_database(const Container& container) {
  return looks_like_postgres(container) || looks_like_mariadb(container);
}

std::unique_ptr<DatabaseServer> server_in(const Call& call, const Container& container,
                                          const std::string& kind, const std::string& user,
                                          const std::string& pointer) {
  const auto password = pointer.empty() ? std::nullopt : call.secret(pointer + "/password");
  if (kind == "postgresql" || (kind == "auto" && looks_like_postgres(container))) {
    PostgresServer server = postgres_in(container, user);
    if (password) set_password(server, *password);
    return std::make_unique<PostgresDatabases>(std::move(server), default_database(container));
  }
  const bool mysql = kind == "mysql" || (kind == "auto" && looks_like_mysql(container));
  return std::make_unique<MariadbDatabases>(mariadb_in(call, container, mysql, user, password));
}

std::vector<DatabaseEntry> find_entries(const Call& call, const std::vector<Container>& all) {
  std::vector<DatabaseEntry> entries;
  for (std::size_t i = 0; i < call.size("/databases"); ++i) {
    const std::string pointer = "/databases/" + std::to_string(i);
    check(call, pointer);
    if (call.has(pointer + "/file")) continue;
    entries.push_back(call.has(pointer + "/url") ? at_url(call, pointer)
                                                 : in_container(call, pointer, all));
  }
  return entries;
}

std::vector<Container> database_containers(const Call& call) {
  bool needed = false;
  for (std::size_t i = 0; i < call.size("/databases"); ++i) {
    const std::string pointer = "/databases/" + std::to_string(i);
    needed = needed || !(call.has(pointer + "/file") || call.has(pointer + "/url"));
  }
  if (!needed) return {};
  if (call.project().empty()) {
    throw BadOptions("`databases` looks for containers, and " + call.deployment_dir() +
                     " is no Compose deployment; use `url`, `file` or `files` there");
  }
  return compose::project_containers(call);
}

DatabaseSizes databases(const Call& call, const DatabaseEntry& entry) {
  const DatabaseSizes there = entry.server->wait_for(call, patience(call));
  const auto applications = entry.server->applications(there);
  std::vector<std::string> wanted = call.texts(entry.pointer + "/names");
  if (wanted.empty() && entry.url && !entry.url->database.empty()) {
    wanted = {entry.url->database};
  }
  if (wanted.empty()) wanted = applications;
  DatabaseSizes found;
  for (const std::string& name : wanted) {
    const auto one = there.find(name);
    if (one == there.end()) {
      throw Failed(entry.server->product() + " of " + entry.server->description() +
                   " has no database " + name + "; it has " +
                   (applications.empty() ? "none" : joined(applications)));
    }
    found.insert(*one);
  }
  return found;
}

std::vector<std::string> sqlite_files(const Call& call) {
  std::vector<std::string> files = call.texts("/sqlite");
  for (std::size_t i = 0; i < call.size("/databases"); ++i) {
    const std::string pointer = "/databases/" + std::to_string(i);
    if (!call.has(pointer + "/file")) continue;
    check(call, pointer);
    files.push_back(call.text(pointer + "/file"));
  }
  return files;
}

}  // namespace drydock::backup
