// Does in plan what is for run to do.
// looks: fail: Its step plan made 'made' in the deployment: what run would write belongs in
//   call.planned_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call& call) { write(call); }
};
}  // namespace

DRYDOCK_PLUGIN("test.plan-writes", "1.0.0", Fault)
