// Asks whether it is cancelled as it begins, and never again in its long run.
// cancel: fail: Its run, cancelled after 1 s, did not stop within <...> s: ask
//   call.throw_if_cancelled(), or poll call.cancel_fd().
// steps: fail: Its step run ran longer than its timeout of 20 s, so what comes after <...>
#include <unistd.h>

#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    for (int i = 0; i < 50; ++i) {
      call.throw_if_cancelled();
      ::usleep(10000);
    }
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.ignores-cancel-later", "1.0.0", Fault)
