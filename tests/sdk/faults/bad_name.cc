// A stage type that no pipeline can name.
// names: fail: It calls a stage type 'Good Stage', allowed: [a-z][a-z0-9_-]*, at most
//   64.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto name = "Good Stage";
};
}  // namespace

DRYDOCK_PLUGIN("test.bad-name", "1.0.0", Fault)
