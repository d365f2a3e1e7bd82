// A PostgreSQL server and the ways to ask it something: always through the server's own clients,
// which have its version and reach it over its local socket.
#pragma once

#include <chrono>
#include <cstdint>
#include <drydock/stage.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "database_types.h"
#include "wait.h"

namespace drydock {

using Rows = std::vector<std::string>;

struct PostgresServer {
  // What stands before a client's own arguments: {"docker", "exec", "-i", ID}, or nothing for
  // clients of this machine. Never with a terminal (-t): that damages a binary dump.
  std::vector<std::string> reach;
  std::string user;
  // For the command itself: a password that `docker exec --env PGPASSWORD` inherits. Secret.
  std::vector<std::string> environment;
  std::string description;  // for people: "service database (container 3f0c…)"
  // Instead of a psql, for query, query_all and execute: runs one statement of plain SQL. Throws
  // Failed with a whole sentence.
  std::function<Rows(const std::string& database, const std::string& sql)> direct;
};

// A psql, pg_dump, pg_restore... with user and database; a password is never asked for. session: the
// name that the server shows of it; "": the tool's own.
Process postgres_client(const PostgresServer&, const std::string& tool, const std::string& database,
                        std::vector<std::string> arguments, const std::string& session = "");

// The same for a tool that needs no connection.
Process server_command(const PostgresServer&, const std::string& tool,
                       std::vector<std::string> arguments);

// Runs the statements in one session that stops at the first error; returns their rows, with their
// fields separated by unit_separator. Throws Failed with the server's own message.
constexpr char unit_separator = '\x1f';
Rows query(const Call&, const PostgresServer&, const std::string& database, const std::string& sql);
// The rows of each of several queries, in one session: starting a client in a container costs more
// than most questions.
std::vector<Rows> query_all(const Call&, const PostgresServer&, const std::string& database,
                            const std::vector<std::string>& sql);
// Statements that change something: never given twice, as a connection may be lost after they were
// carried out. The questions above are, when the engine that reaches the server was away.
void execute(const Call&, const PostgresServer&, const std::string& database,
             const std::string& sql);
std::vector<std::string> fields(const std::string& row);

// All databases but templates, with their bytes, as soon as the server accepts connections. Throws
// Failed when it does not in time, Cancelled when the step is cancelled.
DatabaseSizes wait_for_databases(const Call&, const PostgresServer&,
                                 std::chrono::milliseconds patience);
// Those of applications: not `postgres` (unless it is `keep`), nor what a restore of ours left.
std::vector<std::string> application_databases(const DatabaseSizes&, const std::string& keep);
bool database_exists(const Call&, const PostgresServer&, const std::string& database);

// A database that is there on every server and is not `other`: for what cannot be done from inside.
std::string maintenance_database(const std::string& other);

std::string quoted_identifier(const std::string& name);
std::string quoted_literal(const std::string& text);

// What the client wrote to stderr, without its "psql:<stdin>:1:", on one line.
std::string client_error(const std::string& text);

}  // namespace drydock
