// Takes for granted that its required option is there.
// missing: fail: Its step plan crashed (SIGABRT) where 'file' was missing: return BAD_OPTIONS
//   with a reason.
// fuzz: fail: Its step plan crashed (SIGABRT) with the options {<...>} (--seed 1).
#include <cstdlib>

#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call& call) {
    if (!call.has("/file")) std::abort();
    Good::plan(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.crash-without-option", "1.0.0", Fault)
