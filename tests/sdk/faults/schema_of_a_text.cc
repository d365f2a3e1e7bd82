// An options schema of what `with:` never is.
// schema: fail: Its options schema does not say "type": "object", which `with:` is.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({"type": "string"})";
};
}  // namespace

DRYDOCK_PLUGIN("test.schema-of-a-text", "1.0.0", Fault)
