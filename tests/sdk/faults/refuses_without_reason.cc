// Refuses its options, and does not say why.
// missing: fail: Its step plan refused its options without a reason where 'file' was missing:
//   say with fail() which option, and what is allowed.
#include "good.h"

namespace {
struct Fault : Good {
  static void plan(drydock::Call& call) {
    if (!call.has("/file")) throw drydock::BadOptions("");
    Good::plan(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.refuses-without-reason", "1.0.0", Fault)
