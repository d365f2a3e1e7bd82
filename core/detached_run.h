// `drydock run --detach`: the run is performed by another process, which outlives this one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cancellation.h"
#include "command_line.h"
#include "error.h"
#include "events.h"

namespace drydock {

struct DetachedRun {
  std::uint64_t run = 0;  // 0: it ended before it began a run
  ExitCode code = ExitCode::done;
  std::string said;  // why, when it ended
  std::vector<std::string> details;
};

// Starts `drydock run` with the same arguments in a session of its own and returns once its run has
// begun, or it has ended. Until then its events go to `sink` (the plan), and a cancel is handed on
// to it. `input`: what it gets on its standard input, with --stdin; null: what is still to be read
// of ours. Throws Error when it cannot be started.
DetachedRun start_detached(const Arguments& arguments, const std::string* input, EventSink& sink,
                           const Cancellation& cancellation);

}  // namespace drydock
