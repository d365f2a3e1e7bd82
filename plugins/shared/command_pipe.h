// One command's output as another one's input, as `from | into` would be, without a shell.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "command_stream.h"
#include "drydock/stage.hpp"

namespace drydock {

struct Piped {
  Streamed from;
  Exit into;
  std::string into_said;  // all that it printed
  // `into` ended before `from` had; then that is why `from` failed.
  bool broken = false;
};

// Both have ended when it returns. `reader` gets the same bytes. Progress in bytes is reported.
Piped pipe_commands(const Call&, Process from, Process into,
                    const std::function<void(std::string_view)>& reader = {});

}  // namespace drydock
