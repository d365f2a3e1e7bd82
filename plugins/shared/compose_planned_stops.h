// Which services will stand still by the time a later stage runs: the planning folder is how the
// plan of one stage leaves word to those of later ones. A dump that is taken while its writers
// stand still loses nothing in a rollback, and the plan can say so.
#pragma once

#include <set>
#include <string>

#include "drydock/stage.hpp"

namespace drydock::compose {

// For `plan` alone.
void plan_to_stop(const Call& call, const std::set<std::string>& services);
std::set<std::string> planned_stops(const Call& call);

}  // namespace drydock::compose
