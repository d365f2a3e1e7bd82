// Docker's JSON, read into values; and containers written into a note and read back. Each throws
// Failed, with `what` and the place, for text that is not what it should be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compose_types.h"

namespace drydock::compose {

// What `docker inspect ID...` prints.
std::vector<Container> parse_containers(std::string_view inspected);

// What `docker compose config --format json` prints.
Model parse_model(std::string_view resolved);
// Such a text that was kept in a file. Throws Failed when it cannot be read.
Model read_model(const std::string& file);

// The containers as JSON text for a note. Environment and mounts are left out: they may hold
// secrets, and a rollback does not need them.
std::string to_note(const std::vector<Container>& containers);
std::vector<Container> from_note(std::string_view note);

}  // namespace drydock::compose
