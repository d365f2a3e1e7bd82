// A stage like the good one that is still at work when somebody presses Ctrl-C: its run writes its
// file and waits.
#include <poll.h>

#include "faults/good.h"

namespace {
struct Waiting : Good {
  static void run(drydock::Call& call) {
    Good::run(call);
    pollfd cancelled{call.cancel_fd(), POLLIN, 0};
    ::poll(&cancelled, 1, -1);
    call.throw_if_cancelled();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.waiting", "1.0.0", Waiting)
