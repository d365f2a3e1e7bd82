// The SQL of pending revisions, as Alembic prints it without a database (`upgrade FROM:TO --sql`).
// Statements that a revision makes of what it finds in the database are not among them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migrator_service.h"

namespace drydock::alembic {

// Revision -> its statements on one line; without those for alembic_version.
using OfflineSql = std::map<std::string, std::string>;

OfflineSql parse_offline_sql(std::string_view printed);

// Starts the application for it: on this machine, or in a container of the service's image that has
// no network and no volumes, so that it can change nothing. What fails is a warning.
// target: what `upgrade` names; "" when nothing says it.
OfflineSql offline_sql(const Call&, const std::optional<MigratorService>&, const Revisions& from,
                       const std::string& target);

}  // namespace drydock::alembic
