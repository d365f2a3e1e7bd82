// An options schema that refers to itself, with no member in between: whoever follows it never ends.
// schema: fail: Its options schema refers to itself without end.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({"type": "object", "allOf": [{"$ref": "#"}]})";
};
}  // namespace

DRYDOCK_PLUGIN("test.schema-without-end", "1.0.0", Fault)
