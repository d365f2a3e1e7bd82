// Never ends to load.
// loads: fail: It was not loaded within <...> s: one of its constructors hangs.
#include <unistd.h>

#include "good.h"

namespace {
struct Global {
  Global() {
    for (;;) ::pause();
  }
} global;
}  // namespace

DRYDOCK_PLUGIN("test.hang-in-constructor", "1.0.0", Good)
