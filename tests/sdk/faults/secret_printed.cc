// Prints a secret.
// secrets: fail: A secret stands in a log line of verify: keep it in memory, or in a 0600 file of
//   call.private_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void verify(drydock::Call& call) {
    std::puts(call.secret("/token").value_or("").c_str());
    std::fflush(stdout);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.secret-printed", "1.0.0", Fault)
