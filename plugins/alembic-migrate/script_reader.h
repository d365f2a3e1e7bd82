// What the new release's own migration scripts say, read without starting anything of it.
#pragma once

#include <optional>
#include <string>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migrator_service.h"
#include "revision_graph.h"

namespace drydock::alembic {

struct Scripts {
  std::optional<RevisionGraph> graph;  // nullopt: unknown, and Alembic itself has to be asked
  std::string folder;                  // where they are: in the image, or on this machine
  std::string reason;                  // why they are unknown, for people
};

// service: of the option; nullopt when the migrator runs on this machine. Its image has to be
// there.
Scripts read_scripts(const Call&, const std::optional<MigratorService>& service);

// "image sample/api:2 of service api", "`alembic`": what the scripts belong to, for people.
std::string owner_of_scripts(const Call&, const std::optional<MigratorService>& service);

// The stamps that no script has: the database is newer than they are, or they are others.
std::vector<std::string> unknown_stamps(const RevisionGraph&, const Revisions& stamps);

// What `upgrade` names in the migrator's command: "head", "heads", a revision; "" when nothing says
// it, as with an entrypoint that is the image's own.
std::string upgrade_target(const Call&, const std::optional<MigratorService>& service);

}  // namespace drydock::alembic
