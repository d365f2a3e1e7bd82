// The database that is migrated: where it is, and what its table alembic_version says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "database_place.h"
#include "direct_database.h"
#include "drydock/stage.hpp"
#include "mariadb_server.h"
#include "postgres_facts.h"

namespace drydock::alembic {

struct MigratedDatabase {
  std::string sqlite;                    // the file; "": it is on a server
  std::optional<MariadbServer> mariadb;  // the server, or:
  PostgresServer server;
  std::string name;  // for people, and on the server
  DatabasePlace where;
  std::string container;  // the id; "": it is in none
  // Outside the deployment, and reached from here: by what both servers ask, or by what the clients
  // of this machine read.
  std::shared_ptr<DirectDatabase> direct;
  std::shared_ptr<const void> clients;

  bool outside() const { return where.server.has_value(); }
  bool on_postgres() const { return sqlite.empty() && !mariadb; }
  // For people.
  std::string place() const { return mariadb ? mariadb->description : server.description; }
};

// Where `run` has noted it to be; else outside the deployment by `database.url`, in its container,
// found by the options, by what the application's variables in `.env` name, or by its looks, or
// outside where those variables name it. nullopt: its container does not run. Throws BadOptions
// when nothing says where it could be, and when two may be meant.
std::optional<MigratedDatabase> find_database(const Call&);

// As soon as the database answers. nullopt: no such table, or no such database or file yet.
Revisions current_revisions(const Call&, const MigratedDatabase&);
// At once, and without patience for a server that does not answer.
Revisions revisions_now(const Call&, const MigratedDatabase&);
// Whether there are tables beside Alembic's: an application without a stamp, not a fresh database.
bool has_application_tables(const Call&, const MigratedDatabase&);

// Ends the database sessions of migrators that are gone: servers go on with a statement whose
// client died. applications: the names under which they connected; of MariaDB, the locks of such
// names. Throws Failed when they are not gone in time.
void end_sessions(const Call&, const MigratedDatabase&,
                  const std::vector<std::string>& applications);

// "72c1f0", "72c1f0, 98ab12", "no revision", "no table alembic_version".
std::string describe(const Revisions&);

}  // namespace drydock::alembic
