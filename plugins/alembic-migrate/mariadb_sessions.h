// The sessions of a migrator on MariaDB and MySQL. A server of theirs does not notice that a client
// is gone while it works for it: an ALTER TABLE goes on, and is done long after a rollback found
// everything as it was. Sessions have no names there; but those of a migrator are younger than it.
#pragma once

#include <string>
#include <vector>

#include "migrated_database.h"

namespace drydock::alembic {

// An expression: the name of the lock that one migrator of the database holds. Locks belong to the
// whole server, and their names have 64 characters at most.
std::string mariadb_migration_lock(const std::string& database);

// With the lock taken, and before a migrator starts: all its sessions will have greater numbers.
void note_mariadb_sessions(const Call&, const MigratedDatabase&);
// The migrator has done its work: whoever connects from now on is somebody else.
void forget_mariadb_sessions(const Call&);

// Ends the holders of `locks` and, where sessions are noted, all younger ones in the database;
// waits until the server has rolled back what they did. Throws Failed when they are not gone in
// time, and when another drydock migrates the database by now, whose sessions those may be.
void end_mariadb_sessions(const Call&, const MigratedDatabase&,
                          const std::vector<std::string>& locks, std::chrono::milliseconds limit);

}  // namespace drydock::alembic
