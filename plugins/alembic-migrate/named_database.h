// Pending revisions that name the database itself: on a server where one session reaches every
// database, they would change it from a copy.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "script_reader.h"

namespace drydock::alembic {

// What in the literals of a revision's source names the database, for people: "schema='app'",
// "UPDATE app.note ..."; "": nothing does. Not what its downgrade() says. objects: tables and
// routines of the database, in lower case.
std::string naming_in(std::string_view source, const std::string& database,
                      const std::set<std::string>& objects);

// MariaDB and MySQL: throws Failed, naming the file. Warns where the scripts are not known.
void refuse_named_database(const Call&, const MigratedDatabase&, const Scripts&,
                           const Revisions& current);

}  // namespace drydock::alembic
