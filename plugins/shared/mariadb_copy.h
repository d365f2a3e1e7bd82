// Databases that are made for a while on a MariaDB or MySQL server, and dropped again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "mariadb_server.h"

namespace drydock {

// create_with: as MariadbTables has it.
void create_database(const Call&, const MariadbServer&, const std::string& database,
                     const std::string& create_with);
// Ends the sessions that use it. Nothing where it is not there. Privileges on it stay, as the
// server has it.
void drop_database(const Call&, const MariadbServer&, const std::string& database);

// Makes `to`, new, what `from` is at this moment, by the server's own dump client; those who have
// privileges on `from` get the same on `to`. `from` is only read, also where a table of it has no
// transactions: such a one is copied as it is found. Events stay behind, as the server would run
// them. Throws Failed; `to` may be there then, as also where a trigger or routine names `from`,
// which it would change from the copy. session: what the statements that read rows are marked with,
// so that whoever comes after a death can end them: the server names no sessions. Returns the rows
// of each table, as they were dumped.
std::map<std::string, std::uint64_t> copy_database(const Call&, const MariadbServer&,
                                                   const std::string& from, const std::string& to,
                                                   const std::string& session);
// Ends those statements, with their connections.
void end_dump(const Call&, const MariadbServer&, const std::string& session);

// Drops what copy_database() has made, and takes back the privileges on it.
void drop_copy(const Call&, const MariadbServer&, const std::string& copy);

// A name as a grant has it, where _ and % stand for others.
std::string grant_name(const std::string& database);

// The tables, views and routines of a database, in lower case.
std::set<std::string> object_names(const Call&, const MariadbServer&, const std::string& database);

// Whether SQL names the database: `app`.note, app.note.id, USE app. Not in comments, and in texts
// only where some are carried out (PREPARE). objects: what there is in the database, to tell
// app.note from a column of a table or alias `app`; nullptr: anything.
bool names_database(const std::string& sql, const std::string& database,
                    const std::set<std::string>* objects = nullptr);

}  // namespace drydock
