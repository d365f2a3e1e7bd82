// Getting databases back, from what was noted of their dumps.
#pragma once

#include <string>
#include <vector>

#include "database_record.h"
#include "drydock/stage.hpp"
#include "postgres_server.h"

namespace drydock::backup {

// Whether the database still is what it was when it was dumped; when in doubt, not.
bool is_unchanged(const Call&, const PostgresServer&, const DatabaseRecord& record);

// Whether an attempt before this one has given the restored database its name.
bool was_restored(const Call&, const PostgresServer&, const DatabaseRecord& record);

// Restores the dump into a new database beside the old one, proves that it holds what was dumped,
// and only then swaps the names. Until that instant the failed database keeps its name; afterwards
// it is kept under the name that is returned ("" when there was none). Safe to repeat.
std::string restore_database(const Call&, const PostgresServer&, const std::string& folder,
                             const DatabaseRecord& record);

// Restores the dump into database `scratch` and proves that it holds what was dumped. Throws Failed
// when it does not; the database stays then, to be looked at.
void try_restore(const Call&, const PostgresServer&, const std::string& folder,
                 const DatabaseRecord& record, const std::string& scratch);

// The settings and privileges of the database itself, which belong to its name and not to its dump.
void put_properties_back(const Call&, const PostgresServer&, const DatabaseRecord& record);

// "app_failed_7": `name` shortened so that all of it fits into PostgreSQL's 63 bytes.
std::string derived_name(const std::string& name, const std::string& suffix);

}  // namespace drydock::backup
