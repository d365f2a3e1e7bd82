// Refuses whatever it gets, so that no odd option reaches anything.
// steps: fail: Its step plan refused its options (no), so what comes after was not shown: <...>.
// fuzz: skip: It came no further than with options that fit: Its step plan refused its options
//   (no).
#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call&) { throw drydock::BadOptions("no"); }
};
}  // namespace

DRYDOCK_PLUGIN("test.plan-refuses", "1.0.0", Fault)
