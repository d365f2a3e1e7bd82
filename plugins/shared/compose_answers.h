// Answers of `docker` that several stages ask for while a run is planned.
#pragma once

#include "drydock/stage.hpp"

namespace drydock::compose {

// While a run is planned: runs the command unless a stage has asked the same before, with the same
// planned files if it names any. Nothing changes by then, and each question takes 30 to 150 ms. In
// every other step it runs. Only for questions whose answers `docker pull` does not change.
Captured capture_once(const Call& call, Process question);

// Whether an earlier stage's plan left files that the command names.
bool reads_planned_files(const Call& call, const Process& question);

}  // namespace drydock::compose
