// Crashes when it is to prove what it did.
// steps: fail: Its step verify crashed (SIGABRT).
#include <cstdlib>

#include "good.h"

namespace {
struct Fault : Good {
  static void verify(drydock::Call&) { std::abort(); }
};
}  // namespace

DRYDOCK_PLUGIN("test.crash-in-verify", "1.0.0", Fault)
