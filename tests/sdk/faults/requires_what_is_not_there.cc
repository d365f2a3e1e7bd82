// Requires an option that it does not have.
// schema: fail: It requires 'fiel', which is none of its options.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["fiel"],
    "properties": {
      "file": {"type": "string", "description": "which file", "examples": ["made"]},
      "text": {"type": "string", "default": "hello", "description": "what to write"}
    }
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.requires-what-is-not-there", "1.0.0", Fault)
