// Plans with a secret in plain sight.
// secrets: fail: A secret stands in a planned change of plan: keep it in memory, or in a 0600
//   file of call.private_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call& call) {
    call.change({"request", "run", "https://example.org/" + call.secret("/token").value_or("")});
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.secret-in-plan", "1.0.0", Fault)
