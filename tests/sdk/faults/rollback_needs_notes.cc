// Its rollback fails where nothing was remembered.
// no-run: fail: Its step rollback failed (there is no note) without a run.
// killed: fail: Its step rollback failed (there is no note) after run was killed before its note
//   1.
#include "good.h"

namespace {
struct Fault : Good {
  static void rollback(drydock::Call& call) {
    if (!call.recall("file")) throw drydock::Failed("there is no note");
    Good::rollback(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.rollback-needs-notes", "1.0.0", Fault)
