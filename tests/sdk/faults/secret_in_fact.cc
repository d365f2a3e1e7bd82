// Reports a secret as a fact that anybody may read.
// secrets: fail: A secret stands in the fact 'token' of observe: keep it in memory, or in a 0600
//   file of call.private_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void observe(drydock::Call& call) {
    call.fact("token", call.secret("/token").value_or(""));
    Good::observe(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.secret-in-fact", "1.0.0", Fault)
