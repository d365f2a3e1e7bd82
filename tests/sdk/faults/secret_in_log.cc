// Logs a secret.
// secrets: fail: A secret stands in a log line of run: keep it in memory, or in a 0600 file of
//   call.private_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    call.info("the token is " + call.secret("/token").value_or("not given"));
    Good::run(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.secret-in-log", "1.0.0", Fault)
