// A default that its own schema refuses.
// schema: fail: The default of its option 'text' does not fit its own schema: found 7 (a number),
//   allowed: a text; put it in quotes.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["file"],
    "properties": {
      "file": {"type": "string", "description": "which file", "examples": ["made"]},
      "text": {"type": "string", "default": 7, "description": "what to write"}
    }
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.default-does-not-fit", "1.0.0", Fault)
