// The container of a deployment in which PostgreSQL runs, found by its labels: after a service was
// renamed, Compose itself no longer knows the old one that still runs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compose_types.h"
#include "postgres_server.h"

namespace drydock {

bool looks_like_postgres(const compose::Container&);

// The running container of the first of `services` that has one; without services, the only one
// that looks like it. nullopt: none runs. Throws Failed when several would do.
std::optional<compose::Container> database_container(
    const std::vector<compose::Container>& all, const std::vector<std::string>& services,
    const std::function<bool(const compose::Container&)>& looks_like_it = looks_like_postgres);

// user "": the one that the image was told to create, who is the superuser.
PostgresServer postgres_in(const compose::Container&, const std::string& user);
// Instead of the container's own password, or where it has none.
void set_password(PostgresServer& server, const std::string& password);
// The database that the image was told to create.
std::string default_database(const compose::Container&);

// "api, web": the services that run, for the sentence that says which there are.
std::string running_services(const std::vector<compose::Container>& all);

std::string short_id(const std::string& id);

}  // namespace drydock
