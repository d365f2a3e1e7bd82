// Plans a change in words that stage.h does not name.
// steps: fail: Its step plan broke a rule (The stage broke a rule of the plugin boundary:
//   change() was called without its size, with a what or an action that stage.h does not name, or
//   without a name.).
#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call& call) { call.change({"files", "add", "made"}); }
};
}  // namespace

DRYDOCK_PLUGIN("test.unnamed-word", "1.0.0", Fault)
