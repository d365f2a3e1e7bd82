// Never gets to work.
// steps: fail: Its step run failed (the moon is not full), so what comes after was not shown: give
//   options that work with --with FILE, an example of a deployment with -C DIR, or --without-run
//   where this machine has not what it needs.
// killed: skip: Not tried: see 'steps'.
// secrets: skip: Not shown: Its step run failed (the moon is not full).
#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call&) { throw drydock::Failed("the moon is not full"); }
};
}  // namespace

DRYDOCK_PLUGIN("test.run-fails", "1.0.0", Fault)
