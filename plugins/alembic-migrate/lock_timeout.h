// How long the statements of a migration wait for a lock. A statement that waits for ever makes
// everyone wait who comes after it.
#pragma once

#include <string>
#include <string_view>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// PostgreSQL: under which role the application connects, by the option or by whom alembic_version
// belongs to.
std::string application_role(const Call&, const MigratedDatabase&);

// Whether the option `lock_timeout` asks for it, on a server that has such a thing.
bool limits_lock_waits(const Call&, const MigratedDatabase&);

// Throws Failed where there is no such role, or its settings are not the user's to change; on
// MariaDB and MySQL warns where the user may not set it. Nothing where no limit is asked for.
void refuse_foreign_role(const Call&, const MigratedDatabase&);

// As a setting of the application's role in this database: the one way that reaches an application
// whatever connection options it sets itself. (PGOPTIONS is replaced by a client's own `options`.)
// On MariaDB and MySQL: of the server. Its previous value is noted first. Throws what
// refuse_foreign_role throws, before the note. Nothing where no limit is asked for.
void limit_lock_waits(const Call&, const MigratedDatabase&);
// The setting of the role in this database as it is: "lock_timeout=7s", or "none"; on MariaDB and
// MySQL the variables of the server.
std::string lock_timeout_fact(const Call&, const MigratedDatabase&);

// Whether a setting is noted that has not been put back, and that a server keeps when it stops.
bool lock_waits_are_limited(const Call&);
// From the note alone; may be repeated.
void put_back_lock_timeout(const Call&, const MigratedDatabase&);
// The statement that does it, for people; and in which database of the server.
std::string put_back_statement(const Call&);

// Whether a line that a migrator printed tells of SQLSTATE 55P03, in the words of PostgreSQL or of
// one of Python's drivers. (After that of MariaDB, 1205, a migrator cannot be started again: what
// it did before stays, and may be half of a revision.)
bool tells_of_lock_timeout(std::string_view line);

}  // namespace drydock::alembic
