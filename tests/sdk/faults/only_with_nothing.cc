// A step that depends on an option that it does not have.
// schema: fail: Its step verify exists only with '/nothing', which leads to none of its options.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto verify_only_with = "/nothing";
};
}  // namespace

DRYDOCK_PLUGIN("test.only-with-nothing", "1.0.0", Fault)
