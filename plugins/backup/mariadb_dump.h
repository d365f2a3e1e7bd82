// Dumps of MariaDB and MySQL databases: taken, proven whole, described.
#pragma once

#include <string>

#include "database_record.h"
#include "database_types.h"
#include "drydock/stage.hpp"
#include "mariadb_content.h"
#include "mariadb_server.h"

namespace drydock::backup {

// See DatabaseServer.
void dump_database(const Call&, const MariadbServer&, DatabaseRecord& record);

// Dumps what stands in the database, also where a view or a routine of it is broken, into the file.
// What is broken is missing in it then, which a warning says. Throws Failed when the server went
// away, or the disk is full.
void dump_aside(const Call&, const MariadbServer&, const std::string& database,
                const std::string& file);

// See DatabaseServer::read_back.
void read_back_sql(const std::string& folder, const DatabaseRecord& record);
// The record with the hash of all rows and the counters, which are left out while a dump streams
// in, so that the client is not slower than alone. Reads the dump to its end; throws Failed when it
// is not the one that was taken.
DatabaseRecord with_data(const std::string& folder, DatabaseRecord record);
// What the dump holds. Throws Failed when it ends early.
DumpContent read_dump(const std::string& file, MariadbDumpReader::Rows rows);
// What a dump of the database would hold now.
enum class Events { dumped, left_out };
DumpContent read_database(const Call&, const MariadbServer&, const std::string& database,
                          Events events = Events::dumped);

}  // namespace drydock::backup
