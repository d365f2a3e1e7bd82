// A stage type that says nothing of what it does.
// names: fail: Its stage type 'good' has no summary of one line, of at most 200 bytes and without
//   control characters, which `drydock stages` shows.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto summary = "";
};
}  // namespace

DRYDOCK_PLUGIN("test.no-summary", "1.0.0", Fault)
