// Leaves a file of which none of its facts tells.
// killed: warn: Rolled back after run had ended, its facts are equal, but the run made 'second':
//   put that back too, or report a fact of it, unless it stays on purpose.
#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    Good::run(call);
    write(call, "second", "x");
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.leaves-a-file", "1.0.0", Fault)
