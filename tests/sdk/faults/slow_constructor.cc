// Takes long to load, which each step of each stage then does.
// load-time: fail: It took <...> ms to load, and 100 ms are allowed, for each step of each stage:
//   link fewer libraries, and do nothing in constructors.
#include <unistd.h>

#include "good.h"

namespace {
struct Global {
  Global() { ::usleep(105000); }
} global;
}  // namespace

DRYDOCK_PLUGIN("test.slow-constructor", "1.0.0", Good)
