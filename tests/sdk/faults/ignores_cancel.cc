// Goes on when it is cancelled.
// cancel: fail: Its run, cancelled as it began, did not stop within <...> s: ask
//   call.throw_if_cancelled(), or poll call.cancel_fd().
#include <unistd.h>

#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    for (int i = 0; i < 20; ++i) {
      while (call.cancelled()) ::pause();
      ::usleep(5000);
    }
    Good::run(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.ignores-cancel", "1.0.0", Fault)
