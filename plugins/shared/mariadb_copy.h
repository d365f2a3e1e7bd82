// Databases that are made for a while on a MariaDB or MySQL server, and dropped again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "mariadb_server.h"

namespace drydock {

// create_with: as MariadbTables has it.
void create_database(const Call&, const MariadbServer&, const std::string& database,
                     const std::string& create_with);
// Ends the sessions that use it. Nothing where it is not there. Privileges on it stay, as the server
// has it.
void drop_database(const Call&, const MariadbServer&, const std::string& database);

// Makes `to`, new, what `from` is at this moment, by the server's own dump client; those who have
// privileges on `from` get the same on `to`. `from` is only read, also where a table of it has no
// transactions: such a one is copied as it is found. Events stay behind, as the server would run
// them. Throws Failed; `to` may be there then, as also where a trigger or routine names `from`,
// which it would change from the copy. Returns the rows of each table, as they were dumped.
std::map<std::string, std::uint64_t> copy_database(const Call&, const MariadbServer&,
                                                   const std::string& from, const std::string& to);

// Drops what copy_database() has made, and takes back the privileges on it.
void drop_copy(const Call&, const MariadbServer&, const std::string& copy);

// Whether SQL names the database before a dot: `app`.note, app.note.
bool names_database(const std::string& sql, const std::string& database);

}  // namespace drydock
