// Commands that a step runs: DRYDOCK run_process of stage.h, inside the worker.
#pragma once

#include <drydock/stage.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

struct CommandContext {
  std::string deployment_dir;
  std::vector<std::string> environment;  // the worker's own, which the runner scrubbed
  int cancel_fd = -1;
  std::chrono::milliseconds grace{0};               // from SIGTERM to SIGKILL
  std::function<void(int, std::string_view)> line;  // where there is no on_line
};

// Returns when the command has ended. `reason` is set when it could not be started, or when the
// request breaks a rule. The calling thread forks: it waits here until the child has ended, so the
// child's death signal, which is bound to the thread that forked, cannot fire too early.
drydock_status run_command(const CommandContext& context, const drydock_process& process,
                           drydock_exit& exit, std::string& reason);

}  // namespace drydock
