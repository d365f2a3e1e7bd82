// Answers of `docker` that several stages ask for while a run is planned.
#pragma once

#include "drydock/stage.hpp"

namespace drydock::compose {

// In plan: runs the command unless an earlier stage's plan has asked the same with the same planned
// files. Nothing changes while a run is planned, and each question takes 30 to 150 ms. In every
// other step it runs. Only for questions whose answers `docker pull` does not change.
Captured capture_once(const Call& call, Process question);

}  // namespace drydock::compose
