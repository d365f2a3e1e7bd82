// Writes into Drydock's own folder when it is only to plan.
// looks: fail: Its step plan made '.drydock<...>' and 1 other in the deployment: what run would
//   write belongs in call.planned_dir().
#include <sys/stat.h>

#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call& call) {
    ::mkdir(call.deployment(".drydock").c_str(), 0700);
    write(call, ".drydock/mine", "x");
    Good::plan(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.writes-state", "1.0.0", Fault)
