#include "misbehaving.h"

namespace {
// Breaks a rule of stage.h: only plan reports changes, only observe reports facts.
struct Fault {
  static constexpr auto name = "bug";
  static void act(drydock::Call& call) {
    if (call.step() == "plan")
      call.fact("a", "b");
    else
      call.change({"file", "add", "x"});
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.bug", "1.0.0", Misbehaving<Fault>)
