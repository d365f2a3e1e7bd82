// Getting images from registries.
#pragma once

#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::pull {

struct Order {
  std::string name;      // what to ask for: a reference, or REPOSITORY@DIGEST
  std::string platform;  // "" for the engine's own
  std::string purpose;   // "sample/api:2 of service api", for people
};

// A few at once, as Compose does; after a failure none is begun any more. Throws Failed that says
// which image, which registry, what it answered and what to do.
void pull_all(const Call& call, const std::vector<Order>& orders);

}  // namespace drydock::pull
