// Which environments each wave of a rollout reaches, and how many of them at once.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "rollout.h"

namespace drydock {

struct WaveMembers {
  std::vector<std::size_t> environments;  // positions in the rollout, in the order of the wave
  unsigned parallel = 1;                  // at least 1
  unsigned max_failures = 0;              // one more than that ends the wave
  unsigned max_unreachable = 0;           // likewise
};

// One for each wave, in their order. A wave that earlier ones have left nothing is empty. Throws
// Error with the place: an unknown name or label, a selector that matches nothing, an environment
// in two waves, a percentage that comes to less than one environment.
std::vector<WaveMembers> members_of_waves(const Rollout& rollout);

// Those that no wave reaches.
std::vector<std::string> outside_of_waves(const Rollout& rollout,
                                          const std::vector<WaveMembers>& waves);

}  // namespace drydock
