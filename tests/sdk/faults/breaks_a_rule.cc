// Reports in run what only plan reports.
// steps: fail: Its step run broke a rule (The stage broke a rule of the plugin boundary: change()
//   was called in run, and only plan may.).
#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) { plan(call); }
};
}  // namespace

DRYDOCK_PLUGIN("test.breaks-a-rule", "1.0.0", Fault)
