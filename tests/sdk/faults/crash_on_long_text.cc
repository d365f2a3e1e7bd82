// Has room for a thousand bytes, and does not count.
// fuzz: fail: Its step observe crashed (SIGABRT) with the options {<...>} (--seed 1).
#include <cstdlib>

#include "good.h"

namespace {
struct Fault : Good {
  static void observe(drydock::Call& call) {
    if (call.text("/text").size() > 1000) std::abort();
    Good::observe(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.crash-on-long-text", "1.0.0", Fault)
