// Ctrl-C once cancels a run, which rolls it back. Again, while that goes on, it asks: cutting off a
// rollback is worse than waiting for it, and a person may have a reason all the same.
#pragma once

#include <stdexcept>

#include "events.h"

namespace drydock {

// Counts SIGINT and SIGTERM. Async-signal-safe.
void count_signal();

// The answer was yes. The rollback is to end where it is; it can be repeated.
struct RollbackCutOff : std::runtime_error {
  RollbackCutOff()
      : std::runtime_error("it was stopped on request while it was being rolled back") {}
};

class InterruptionQuestion {
 public:
  explicit InterruptionQuestion(Events& events);
  // Often: asks when a signal came since the last time. Without a terminal it says that the
  // rollback goes on. Throws RollbackCutOff.
  void ask_if_signalled();

 private:
  Events& events_;
  unsigned answered_;
};

}  // namespace drydock
