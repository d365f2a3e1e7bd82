// Reading a file of a run while the run, in another process, still writes it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cancellation.h"
#include "error.h"
#include "events.h"
#include "lookup.h"

namespace drydock {

// Hands each whole line of `file`, without its end, to `on_line`: those that are there, and those
// that still come until the run has ended and its process has let go of the deployment. False: left
// earlier, because of a cancel, or since nobody reads any more what is written to the descriptor
// `output` (-1: none). Throws Error when the file cannot be read.
bool follow_lines(const std::string& file, const Lookup& lookup, std::uint64_t run,
                  const Cancellation& cancellation,
                  const std::function<void(const std::string&)>& on_line, int output = -1);

// Shows a run on `sink` until it ends. Returns the run's own exit code; nullopt when it was left
// before. Throws Error (exit code 4) when the run turns out to be interrupted.
std::optional<ExitCode> attach_to(const Lookup& lookup, std::uint64_t run,
                                  const Cancellation& cancellation, EventSink& sink);

}  // namespace drydock
