// The container of a deployment in which MariaDB or MySQL runs.
#pragma once

#include <optional>
#include <string>

#include "compose_types.h"
#include "mariadb_server.h"

namespace drydock {

// By its image's name, or by the variables that the official images take and a mount for the data.
bool looks_like_mariadb(const compose::Container&);

// user "": root where the container's variables say root's password or that there is none, else
// the user that the image was told to create. password: instead of the container's own.
MariadbServer mariadb_in(const Call&, const compose::Container&, bool mysql,
                         const std::string& user, const std::optional<std::string>& password);
// Whether it is MySQL of the two, by its image's name and variables.
bool looks_like_mysql(const compose::Container&);

}  // namespace drydock
