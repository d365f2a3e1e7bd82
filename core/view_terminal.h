// The view on a terminal: what has happened stays as lines above; below them, drawn again and
// again, one line for what runs now and at most one for its newest log line.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>

#include "view.h"

namespace drydock {

using TimeSource = std::function<std::chrono::milliseconds()>;  // monotonic

std::unique_ptr<EventSink> make_terminal_view(std::ostream& out, const ViewStyle& style,
                                              TimeSource clock);

}  // namespace drydock
