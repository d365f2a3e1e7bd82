// Where a database outside the deployment is, as one text.
#pragma once

#include <string>

namespace drydock {

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

}  // namespace drydock
