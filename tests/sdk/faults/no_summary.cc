// A stage type that says nothing of what it does.
// names: fail: Its stage type 'good' has no summary of one line, which `drydock stages` shows.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto summary = "";
};
}  // namespace

DRYDOCK_PLUGIN("test.no-summary", "1.0.0", Fault)
