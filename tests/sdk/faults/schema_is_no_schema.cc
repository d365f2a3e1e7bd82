// An options schema that is JSON, and no JSON Schema.
// schema: fail: Its options schema cannot be used: <...>
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {"file": {"type": 7, "description": "which file"}}
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.schema-is-no-schema", "1.0.0", Fault)
