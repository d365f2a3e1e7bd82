// A plugin that crashes while it is loaded, before anything of it was asked for.
#include <cstdlib>

#include "harmless.h"

namespace {
struct Global {
  Global() { std::abort(); }
} global;
}  // namespace

DRYDOCK_PLUGIN("test.crash-in-constructor", "1.0.0", Harmless)
