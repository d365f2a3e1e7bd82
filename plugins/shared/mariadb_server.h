// A MariaDB or MySQL server and the ways to ask it something: always through the server's own
// clients, which have its version and reach it over its local socket.
#pragma once

#include <chrono>
#include <drydock/stage.hpp>
#include <functional>
#include <string>
#include <vector>

#include "database_types.h"

namespace drydock {

using MariadbRow = std::vector<std::string>;
using MariadbRows = std::vector<MariadbRow>;

struct MariadbServer {
  // What stands before a client's own arguments: {"docker", "exec", "-i", ID}, or nothing for
  // clients of this machine. Never with a terminal (-t): that damages a dump.
  std::vector<std::string> reach;
  bool mysql = false;  // MySQL's clients: mysql and mysqldump, not mariadb and mariadb-dump
  std::string user;
  // A file with the connection's settings, password included, for clients of this machine; "":
  // none.
  std::string settings_file;
  // For the command itself: a password that `docker exec --env MYSQL_PWD` inherits. Secret.
  std::vector<std::string> environment;
  std::string description;  // for people: "service database (container 3f0c…)"
  // Instead of a client, for query, query_all and execute: runs one statement. Throws Failed with a
  // whole sentence.
  enum class Result { rows, none };
  std::function<MariadbRows(const std::string& database, const std::string& sql, Result)> direct;

  std::string product() const { return mysql ? "MySQL" : "MariaDB"; }
  std::string client() const { return mysql ? "mysql" : "mariadb"; }
  std::string dumper() const { return mysql ? "mysqldump" : "mariadb-dump"; }
};

// A client with its connection; a password is never asked for.
Process mariadb_command(const MariadbServer&, const std::string& tool,
                        std::vector<std::string> arguments);

// The rows of each of several queries, in one session that stops at the first error: starting a
// client in a container costs more than most questions. NULL reads "NULL". database "": none.
// Throws Failed with the server's own message.
std::vector<MariadbRows> query_all(const Call&, const MariadbServer&, const std::string& database,
                                   const std::vector<std::string>& sql);
MariadbRows query(const Call&, const MariadbServer&, const std::string& database,
                  const std::string& sql);
// Statements that change something: never given twice, as a connection may be lost after they were
// carried out. The questions above are, when the engine that reaches the server was away.
void execute(const Call&, const MariadbServer&, const std::string& database,
             const std::string& sql);

// All databases but the server's own, with their bytes, as soon as it accepts connections. Throws
// Failed when it does not in time, Cancelled when the step is cancelled.
DatabaseSizes wait_for_databases(const Call&, const MariadbServer&,
                                 std::chrono::milliseconds patience);
bool database_exists(const Call&, const MariadbServer&, const std::string& database);

// "`na``me`" and "'te''xt'"; the latter as _utf8mb4 without regard of escapes in backslashes.
std::string mariadb_identifier(const std::string& name);
std::string mariadb_literal(const std::string& text);

// What the client wrote to stderr, on one line, without "mariadb: " and deprecation warnings.
std::string mariadb_error(const std::string& text);

}  // namespace drydock
