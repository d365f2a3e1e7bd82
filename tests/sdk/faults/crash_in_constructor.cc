// Crashes while it is loaded, before anything of it was asked for.
// loads: fail: It crashed (SIGABRT) while it was loaded: look at what its constructors do.
#include <cstdlib>

#include "good.h"

namespace {
struct Global {
  Global() { std::abort(); }
} global;
}  // namespace

DRYDOCK_PLUGIN("test.crash-in-constructor", "1.0.0", Good)
