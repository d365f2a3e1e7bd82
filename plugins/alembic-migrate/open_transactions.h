// Transactions of others that a migration would wait for, and everyone else behind it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// Those that have been open for longer than `age` and hold a lock on a table of the database (of
// MariaDB and MySQL: any that have begun in it), the oldest first, as sentences for people. Which
// tables a migration will lock is not known: any of them counts.
std::vector<std::string> open_transactions(const Call&, const MigratedDatabase&,
                                           std::chrono::milliseconds age);
// What the option `long_transactions` looks for: none when it says `ignore`.
std::vector<std::string> long_transactions(const Call&, const MigratedDatabase&);

}  // namespace drydock::alembic
