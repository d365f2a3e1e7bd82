// Dumps of PostgreSQL databases: taken, read back whole before they count, described.
#pragma once

#include <string>

#include "database_record.h"
#include "drydock/stage.hpp"
#include "postgres_content.h"
#include "postgres_server.h"

namespace drydock::backup {

// Dumps database record.name into record.dump below the private folder, and fills in what the
// record says of the database and of the dump. Nothing half is left: the file gets its name only
// after it was read back to its end.
void dump_database(const Call&, const PostgresServer&, DatabaseRecord& record);

// Reads the whole dump back, as a restore would, through the server's own pg_restore: that alone
// finds a dump that ends early or has a flipped bit (`pg_restore --list` does not).
DumpContent read_dump(const Call&, const PostgresServer&, const std::string& file);
// What a dump of the database would hold now.
DumpContent read_database(const Call&, const PostgresServer&, const std::string& database);

// Roles are of the whole server, so no dump of a database has them. Best effort: only a superuser
// may read them. False when it could not be done.
bool dump_roles(const Call&, const PostgresServer&, const std::string& file);

// Throws Failed when the file is not, byte for byte, the one that was noted.
void check_dump(const std::string& private_dir, const DatabaseRecord& record);

// A name for a file, of a name that may hold anything: "app", "a%2Fb".
std::string file_name(const std::string& name);

}  // namespace drydock::backup
