// An engine that is restarted, or crashes and comes back, in the middle of a run.
#pragma once

#include <functional>

#include "drydock/stage.hpp"

namespace drydock::compose {

// Whether the command did not reach the engine, or lost it.
bool engine_is_away(const Captured& captured);

// The answer of a command that may be repeated. While a run changes things or puts them back, an
// engine that is away is waited for, and the command repeated: for one minute since it was first
// missed, however many steps ask for it in that time. Before a run nothing is waited for.
Captured answer_of(const Call& call, const std::function<Captured()>& command);
Captured answer_of(const Call& call, const Process& process);

// Waits, but not for a step that is being cancelled.
void pause_for(const Call& call, std::chrono::milliseconds duration);

}  // namespace drydock::compose
