// Cannot start again what ran before.
// steps: fail: Its step settle failed (it does not start).
// killed: fail: Its step settle failed (it does not start) after run was killed after its note 1.
#include "good.h"

namespace {
struct Fault : Good {
  static void settle(drydock::Call& call) {
    if (call.recall("file")) throw drydock::Failed("it does not start");
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.settle-fails", "1.0.0", Fault)
