// What `SHOW GRANTS` says of one database of MariaDB or MySQL.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drydock::alembic {

// "SELECT", "CREATE", ...; "ALL PRIVILEGES" for all of them. lines: as the server prints them for
// the user who asks. nullopt: roles, single tables or revoked parts are among them, so that this is
// no answer.
std::optional<std::set<std::string>> granted_privileges(const std::vector<std::string>& lines,
                                                        const std::string& database);

}  // namespace drydock::alembic
