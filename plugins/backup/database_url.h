// A database outside the deployment, by its URL, reached with this machine's own clients.
#pragma once

#include <memory>
#include <string>

#include "database_server.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

struct DatabaseUrl {
  std::string kind;  // postgresql mariadb mysql
  std::string host, port, user, password, database;
  std::string socket;    // the folder (PostgreSQL) or file (MariaDB) of a local socket; "": by host
  std::string ssl_mode;  // PostgreSQL: its sslmode

  // "db.example.org:5432", without anything secret.
  std::string place() const;
};

// scheme://user:password@host:port/database?socket=…&sslmode=…, percent-encoded; a driver as in
// "mysql+pymysql" is left out. Throws BadOptions, which never shows what may be the password.
DatabaseUrl parse_database_url(const std::string& url);

// Throws Failed when this machine lacks the clients.
std::unique_ptr<DatabaseServer> server_at(const Call&, const DatabaseUrl& url);

}  // namespace drydock::backup
