// Does not find what its run did.
// steps: fail: Its step verify failed (there is nothing).
#include "good.h"

namespace {
struct Fault : Good {
  static void verify(drydock::Call&) { throw drydock::Failed("there is nothing"); }
};
}  // namespace

DRYDOCK_PLUGIN("test.verify-fails", "1.0.0", Fault)
