// An optional option, and nobody is told what holds without it.
// schema: warn: Of its optional times no default says what holds without it.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["file"],
    "properties": {
      "file": {"type": "string", "description": "which file", "examples": ["made"]},
      "text": {"type": "string", "default": "hello", "description": "what to write"},
      "times": {"type": "integer", "description": "how often"}
    }
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.option-without-default", "1.0.0", Fault)
