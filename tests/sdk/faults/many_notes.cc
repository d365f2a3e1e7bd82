// No fault, but more notes than a check has time to kill it at.
// killed: pass: Its run is undone by other processes: killed before and after <...> of its 70
//   notes, and ended.
#include "good.h"

namespace {
struct Many : Good {
  static void run(drydock::Call& call) {
    for (int i = 1; i < 70; ++i) call.remember("note " + std::to_string(i), "");
    Good::run(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.many-notes", "1.0.0", Many)
