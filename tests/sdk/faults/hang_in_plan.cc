// Never ends to plan.
// steps: fail: Its step plan ran longer than its timeout of <...> s.
#include <unistd.h>

#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call&) {
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.hang-in-plan", "1.0.0", Fault)
