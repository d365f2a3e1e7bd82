// Its rollback changes something where nothing was run.
// no-run: fail: Rolled back without a run, it made 'restored': do nothing without notes.
// killed: warn: Rolled back after run was killed before its note 1, its facts are equal, but the run
//   made 'restored': put that back too, or report a fact of it, unless it stays on purpose.
#include "good.h"

namespace {
struct Fault : Good {
  static void rollback(drydock::Call& call) {
    Good::rollback(call);
    write(call, "restored", "yes");
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.rollback-writes", "1.0.0", Fault)
