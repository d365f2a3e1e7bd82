#include "open_database.h"

#include "host_clients.h"
#include "mariadb_container.h"
#include "postgres_container.h"

namespace drydock::alembic {
namespace {

bool is_mariadb(const compose::Container& container) {
  return !looks_like_postgres(container) && looks_like_mariadb(container);
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

// How long a server may take for an answer before it counts as dead.
std::chrono::milliseconds answer_patience(const Call& call) {
  const std::chrono::milliseconds least = std::chrono::seconds(3);
  return call.has("/wait") ? std::max(least, call.duration("/wait")) : std::chrono::seconds(60);
}

MigratedDatabase asked_directly(const Call& call, const DatabaseUrl& url) {
  MigratedDatabase database;
  database.direct = std::make_shared<DirectDatabase>(url, answer_patience(call));
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

// By clients of this machine, as `backup` does.
MigratedDatabase asked_by_clients(const Call& call, const DatabaseUrl& url) {
  MigratedDatabase database;
  const auto clients = std::make_shared<HostClients>(call, url);
  database.clients = clients;
  if (url.kind == "postgresql") {
    database.server = clients->postgres();
  } else {
    database.mariadb = clients->mariadb();
  }
  return database;
}

}  // namespace

std::string database_in(const compose::Container& container) {
  if (!is_mariadb(container)) return default_database(container);
  for (const char* variable : {"MARIADB_DATABASE", "MYSQL_DATABASE"}) {
    const auto found = container.environment.find(variable);
    if (found != container.environment.end() && !found->second.empty()) return found->second;
  }
  throw BadOptions("the container of service " + container.service +
                   " does not say which database the application has; name it with `database`, "
                   "`name`");
}

MigratedDatabase open_database(const Call& call, const DatabasePlace& place,
                               const compose::Container& container) {
  MigratedDatabase database;
  database.name = place.name;
  database.where = place;
  database.where.service = container.service;
  database.container = container.id;
  if (is_mariadb(container)) {
    database.mariadb = mariadb_in(call, container, looks_like_mysql(container),
                                  call.text("/database/user"), std::nullopt);
  } else {
    database.server = postgres_in(container, call.text("/database/user"));
  }
  return database;
}

MigratedDatabase open_database(const Call& call, const DatabasePlace& place) {
  MigratedDatabase database;
  if (place.sqlite) {
    database.sqlite = call.deployment(place.name);
  } else {
    database = call.text("/mode") == "rehearse" ? asked_by_clients(call, *place.server)
                                                : asked_directly(call, *place.server);
  }
  database.name = place.name;
  database.where = place;
  return database;
}

}  // namespace drydock::alembic
