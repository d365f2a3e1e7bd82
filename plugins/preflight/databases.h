// How large the databases are whose dumps and restored copies will need room.
#pragma once

#include <cstdint>
#include <drydock/stage.hpp>
#include <string>
#include <vector>

#include "compose_types.h"

namespace drydock::preflight {

struct DatabaseSize {
  std::string service;
  std::int64_t bytes = -1;  // -1: it cannot be asked
  std::string folder;       // on the host where it lies; "": in a volume of the engine
};

// By what their images are told to make of them.
bool looks_like_a_database(const compose::Container& container);

// Of the running containers of this deployment; services: which, "" and none for those that look
// like databases. PostgreSQL is asked for the size of its databases, of others the folder of the
// data is measured in the container.
std::vector<DatabaseSize> database_sizes(const Call& call,
                                         const std::vector<compose::Container>& here,
                                         const std::vector<std::string>& services);

}  // namespace drydock::preflight
