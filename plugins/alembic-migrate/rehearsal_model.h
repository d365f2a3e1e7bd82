// The compose file of a rehearsal's one-off containers: the migrator's service alone, which uses
// what there is and makes nothing. `docker compose run` would make the networks, volumes and
// folders that the new release brings, and some versions of it a network anew that differs.
#pragma once

#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::alembic {

struct RehearsalModel {
  std::string text;                                   // the file
  std::vector<std::string> networks, volumes, paths;  // which have to be there
};

// Decided from values alone. model: as `docker compose config --format json` prints it. image: for
// a service that is only built. Throws Failed for a service that needs another one's network or
// volumes.
RehearsalModel rehearsal_model(const std::string& model, const std::string& service,
                               const std::string& image);

// Writes it into the private folder (it may hold secrets), for rehearsal_compose(). Throws Failed,
// naming what is missing. image: as above. Nothing for a migrator of this machine.
void prepare_rehearsal_model(const Call&, const std::string& image);
// `docker compose` on it.
Process rehearsal_compose(const Call&, std::vector<std::string> arguments);
void remove_rehearsal_model(const Call&);

}  // namespace drydock::alembic
