// Where the options and the deployment's .env say that the migrated database is.
#pragma once

#include <optional>
#include <string>

#include "database_url.h"
#include "drydock/stage.hpp"

namespace drydock::alembic {

// The option `database.url`. Throws BadOptions where it names no database.
std::optional<DatabaseUrl> url_option(const Call&);

// What the application's own variables say in `.env`, in plan in the one that is planned, by the
// names of the option `database.env`. nullopt: no host, or a kind of database that this is not for.
// host: as the application names it. Throws BadOptions where the file cannot be read, or they
// contradict themselves.
std::optional<DatabaseUrl> env_settings(const Call&);

// The same as seen from this machine: containers call it host.docker.internal.
DatabaseUrl seen_from_here(DatabaseUrl);

}  // namespace drydock::alembic
