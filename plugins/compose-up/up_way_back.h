// Whether a rollback could make the containers that go as they were.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "drydock/stage.hpp"
#include "up_decisions.h"

namespace drydock::compose {

// Where the settings of containers are known from.
struct KnownFiles {
  std::map<std::string, std::string> own, snapshot;  // service -> configuration hash
  Model own_model;
  std::string compose_version;
};

// The containers of `leaving` that neither files make. Another version of Compose may hash the same
// settings differently: of a container that another one made the image has to tell.
std::vector<Container> without_way_back(const std::vector<Container>& leaving,
                                        const KnownFiles& known);

// For `plan`: those of `leaving` that could not be made again.
std::vector<Container> without_way_back(const Call& call, const std::vector<Container>& leaving);

}  // namespace drydock::compose
