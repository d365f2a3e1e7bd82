// What stages report about the containers of services: equal before a run and after its rollback.
#pragma once

#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// For each service how many of its containers run, and their restart policy. Container ids are no
// facts: a container that was made anew from the same image and settings is as good as the old one.
void report_running(const Call& call, const std::vector<Container>& containers);

// The same, and which image and configuration hash they have.
void report_containers(const Call& call, const std::vector<Container>& containers);

}  // namespace drydock::compose
