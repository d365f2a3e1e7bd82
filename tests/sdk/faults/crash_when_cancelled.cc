// Crashes when it is cancelled.
// cancel: fail: It crashed (SIGABRT) when it was cancelled.
#include <unistd.h>

#include <cstdlib>

#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    for (int i = 0; i < 20; ++i) {
      if (call.cancelled()) std::abort();
      ::usleep(5000);
    }
    Good::run(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.crash-when-cancelled", "1.0.0", Fault)
