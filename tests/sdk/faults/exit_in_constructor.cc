// Leaves while it is loaded, as if all were well.
// loads: fail: It crashed: it exited with code 0 without an answer while it was loaded: look at
//   what its constructors do.
#include <unistd.h>

#include "good.h"

namespace {
struct Global {
  Global() { ::_exit(0); }
} global;
}  // namespace

DRYDOCK_PLUGIN("test.exit-in-constructor", "1.0.0", Good)
