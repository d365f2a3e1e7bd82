#include <netdb.h>

#include "compose_engine.h"
#include "database_settings.h"
#include "mariadb_container.h"
#include "migrated_database.h"
#include "postgres_container.h"

namespace drydock::alembic {
namespace {

// name: what the application's variables say.
MigratedDatabase mariadb_database(const Call& call, const compose::Container& container,
                                  const std::string& name) {
  MigratedDatabase database;
  database.service = container.service;
  database.mariadb = mariadb_in(call, container, looks_like_mysql(container),
                                call.text("/database/user"), std::nullopt);
  database.name = name;
  for (const char* variable : {"MARIADB_DATABASE", "MYSQL_DATABASE"}) {
    const auto found = container.environment.find(variable);
    if (database.name.empty() && found != container.environment.end())
      database.name = found->second;
  }
  if (database.name.empty()) {
    throw BadOptions("the container of service " + container.service +
                     " does not say which database the application has; name it with `database`, "
                     "`name`");
  }
  return database;
}

MigratedDatabase postgres_database(const Call& call, const compose::Container& container,
                                   const std::string& name) {
  MigratedDatabase database;
  database.service = container.service;
  database.server = postgres_in(container, call.text("/database/user"));
  database.name = name.empty() ? default_database(container) : name;
  return database;
}

bool is_called(const compose::Container& container, const std::string& host) {
  return container.service == host || container.name == host;
}

std::optional<compose::Container> container_of(const Call& call,
                                               const std::vector<compose::Container>& all,
                                               const std::optional<DatabaseUrl>& settings) {
  const std::vector<std::string> services = call.texts("/database/service");
  if (services.empty() && settings) {
    const auto named = [&](const compose::Container& one) {
      return is_called(one, settings->host) &&
             (looks_like_postgres(one) || looks_like_mariadb(one));
    };
    if (auto found = database_container(all, services, named)) return found;
  }
  auto container = database_container(all, services);
  if (!container && services.empty()) {
    container = database_container(all, services, looks_like_mariadb);
  }
  return container;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

// Else it is a name of the containers' networks alone, an alias, or it is misspelt.
bool is_known_here(const DatabaseUrl& settings) {
  if (!settings.socket.empty()) return true;
  addrinfo* found = nullptr;
  if (::getaddrinfo(seen_from_here(settings).host.c_str(), nullptr, nullptr, &found) != 0) {
    return false;
  }
  ::freeaddrinfo(found);
  return true;
}

// Only of a name that could be a service's Compose is asked.
bool is_service(const Call& call, const std::vector<compose::Container>& all,
                const std::string& host) {
  for (const compose::Container& one : all) {
    if (is_called(one, host)) return true;
  }
  if (call.project().empty() || host.find_first_of(".:/") != std::string::npos) return false;
  return !is_loopback(host) && compose::all_service_names(call).count(host) != 0;
}

// With a column's NULL as psql writes it, and rows of nothing left out, as there.
Rows postgres_rows(const std::vector<DirectSession::Row>& rows) {
  Rows result;
  for (const DirectSession::Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += (i == 0 ? "" : std::string(1, unit_separator)) + row[i].value_or("");
    }
    if (!line.empty()) result.push_back(std::move(line));
  }
  return result;
}

// As the clients write it.
MariadbRows mariadb_rows(const std::vector<DirectSession::Row>& rows) {
  MariadbRows result;
  for (const DirectSession::Row& row : rows) {
    MariadbRow& texts = result.emplace_back();
    for (const auto& field : row) texts.push_back(field.value_or("NULL"));
  }
  return result;
}

MigratedDatabase database_at(const DatabaseUrl& url) {
  MigratedDatabase database;
  database.name = url.database;
  database.direct = std::make_shared<DirectDatabase>(url);
  const auto direct = database.direct;
  if (url.kind == "postgresql") {
    database.server.user = url.user.empty() ? "postgres" : url.user;
    database.server.description = url.place();
    database.server.direct = [direct](const std::string& name, const std::string& sql) {
      return postgres_rows(direct->query(name, sql));
    };
    return database;
  }
  MariadbServer& server = database.mariadb.emplace();
  server.mysql = url.kind == "mysql";
  server.user = url.user.empty() ? "root" : url.user;
  server.description = url.place();
  server.direct = [direct](const std::string& name, const std::string& sql,
                           MariadbServer::Result result) {
    if (result == MariadbServer::Result::rows) return mariadb_rows(direct->query(name, sql));
    direct->execute(name, sql);
    return MariadbRows();
  };
  return database;
}

// What `.env` says of a server elsewhere.
MigratedDatabase database_elsewhere(const DatabaseUrl& settings) {
  if (settings.database.empty()) {
    throw BadOptions("the variables in .env name the database server " + settings.place() +
                     ", and no database of it; name it with `database`, `name`");
  }
  return database_at(seen_from_here(settings));
}

}  // namespace

std::optional<MigratedDatabase> find_database(const Call& call) {
  if (call.has("/sqlite")) {
    MigratedDatabase database;
    database.name = call.text("/sqlite");
    database.sqlite = call.deployment(database.name);
    return database;
  }
  if (const auto url = url_option(call)) return database_at(*url);
  const std::optional<DatabaseUrl> settings = env_settings(call);
  if (call.project().empty()) {
    if (settings) return database_elsewhere(*settings);
    throw BadOptions("nothing says where the migrated database is: " + call.deployment_dir() +
                     " is no Compose deployment; name the SQLite file that it is with `sqlite`, or "
                     "the place of a server with `database`, `url`");
  }
  const auto all = compose::project_containers(call);
  const bool elsewhere = settings && !is_service(call, all, settings->host);
  // By then a container that merely looks like a database is not the application's.
  if (elsewhere && call.texts("/database/service").empty() && !is_loopback(settings->host) &&
      is_known_here(*settings)) {
    return database_elsewhere(*settings);
  }
  const auto container = container_of(call, all, settings);
  if (!container) {
    if (elsewhere) return database_elsewhere(*settings);
    return std::nullopt;
  }
  std::string name = call.text("/database/name");
  if (name.empty() && settings && is_called(*container, settings->host)) name = settings->database;
  return !looks_like_postgres(*container) && looks_like_mariadb(*container)
             ? mariadb_database(call, *container, name)
             : postgres_database(call, *container, name);
}

}  // namespace drydock::alembic
