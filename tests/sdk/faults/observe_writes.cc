// Leaves something behind where it only looks.
// looks: fail: Its step observe made 'seen' in the deployment: what run would write belongs in
//   call.planned_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void observe(drydock::Call& call) {
    write(call, "seen", "seen");
    Good::observe(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.observe-writes", "1.0.0", Fault)
