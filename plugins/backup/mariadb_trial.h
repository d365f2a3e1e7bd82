// A dump loaded into a database of its own, to show that it loads.
#pragma once

#include <string>

#include "database_record.h"
#include "drydock/stage.hpp"
#include "mariadb_server.h"

namespace drydock::backup {

// Throws Failed, with what the client says.
void load_dump(const Call&, const MariadbServer&, const std::string& file, const std::string& into);

// Loads the dump, record.dump below `folder`, into database `scratch`, compares it with the dump
// itself, and drops it again. Without the dump's events: the server would run them there, with all
// that they do elsewhere. Throws Failed when it does not load (the database is dropped), or is
// another than what was dumped (it stays, to be looked at).
void load_on_trial(const Call&, const MariadbServer&, const std::string& folder,
                   const DatabaseRecord& record, const std::string& scratch);

// Copies a dump without its events. Returns whether it had any; otherwise nothing is written.
bool copy_without_events(const std::string& from, const std::string& to);

}  // namespace drydock::backup
