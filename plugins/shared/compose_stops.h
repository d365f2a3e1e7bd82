// Stopping containers so that a death in the middle is known of. A `docker stop` that is cut off
// goes on in the engine: until the container's grace period is over it looks as if it ran, and
// whoever takes it for running finds it stopped a few seconds later.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::compose {

// For `run`: returns when they have stopped. Noted before it begins and after it has ended.
void stop_noted(const Call& call, const std::vector<std::string>& ids,
                std::optional<std::chrono::milliseconds> grace = std::nullopt);

// For `rollback` and `settle`, first of all: stops for certain what a stop of stop_noted() that was
// cut off, or one of `also`, may still be stopping. What runs again after that was started.
void end_cut_off_stops(const Call& call, std::vector<std::string> also = {});

}  // namespace drydock::compose
