// Remembers what it has done, and not what it is going to do.
// killed: fail: Rolled back after run was killed before its note 1, file was absent and is hello:
//   remember before each change, and go back from the notes alone.
#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    write(call);
    call.remember("file", call.text("/file"));
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.remembers-late", "1.0.0", Fault)
