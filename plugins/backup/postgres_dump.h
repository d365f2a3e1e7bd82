// Dumps of PostgreSQL databases: taken, read back whole before they count, described.
#pragma once

#include <string>

#include "database_record.h"
#include "drydock/stage.hpp"
#include "postgres_content.h"
#include "postgres_server.h"

namespace drydock::backup {

// See DatabaseServer.
void dump_database(const Call&, const PostgresServer&, DatabaseRecord& record);

// Fills in revisions, structure and server version; what CREATE DATABASE needs to make it the same
// again; and what belongs to the database itself and so is in no dump that is restored under
// another name.
void describe_database(const Call&, const PostgresServer&, DatabaseRecord& record);

// Reads the whole dump back, as a restore would, through the server's own pg_restore: that alone
// finds a dump that ends early or has a flipped bit (`pg_restore --list` does not).
DumpContent read_dump(const Call&, const PostgresServer&, const std::string& file);
// What a dump of the database would hold now.
DumpContent read_database(const Call&, const PostgresServer&, const std::string& database);

// Roles are of the whole server, so no dump of a database has them. Best effort: only a superuser
// may read them. False when it could not be done.
bool dump_roles(const Call&, const PostgresServer&, const std::string& file);

}  // namespace drydock::backup
