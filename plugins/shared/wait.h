// Waiting in a step.
#pragma once

#include <poll.h>

#include <chrono>
#include <drydock/stage.hpp>

namespace drydock {

// Waits, or throws Cancelled as soon as the step is cancelled.
inline void pause(const Call& call, std::chrono::milliseconds time) {
  pollfd cancel{call.cancel_fd(), POLLIN, 0};
  ::poll(&cancel, 1, static_cast<int>(time.count()));
  call.throw_if_cancelled();
}

}  // namespace drydock
