// How long a statement waits for a lock on MariaDB and MySQL: variables of the whole server, which
// each new session takes over, whatever connects. (init_connect would spare administrators, as
// which many an application connects, and break every connection with a mistake in it.)
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// The lock of the whole server, taken by the session of a migration's lock, whose holder alone
// changes the variables: of two that note and put back at the same time the shorter limit would be
// left.
constexpr auto lock_waits_lock = "drydock-lock-waits";

// "lock_wait_timeout=86400, innodb_lock_wait_timeout=50": as they are.
std::string mariadb_lock_waits(const Call&, const MigratedDatabase&);
// Whether the user may set them; "" or the server's own words. (To set what is set changes
// nothing.)
std::string why_no_lock_waits(const Call&, const MigratedDatabase&);

// Lowers them, where they are longer, for everyone who connects from now on. Their previous values
// are noted first. Where the user may not set them nothing is noted, and a warning says so; nor
// where another migration on this server holds the lock: then its limit counts.
void limit_mariadb_lock_waits(const Call&, const MigratedDatabase&,
                              std::chrono::milliseconds limit);

// From the note alone; may be repeated. What is no longer as it was set is somebody else's, or that
// of a server which has been started since, and stays. Throws Failed while another migration holds
// the lock for longer than the option `wait`: what stands there now is its limit.
void put_back_mariadb_lock_waits(const Call&, const MigratedDatabase&);

// Whether a line that a migrator printed tells of ER_LOCK_WAIT_TIMEOUT (1205).
bool tells_of_mariadb_lock_wait(std::string_view line);

}  // namespace drydock::alembic
