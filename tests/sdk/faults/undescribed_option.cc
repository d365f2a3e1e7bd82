// An option of which nobody is told what it means.
// schema: fail: Its option 'text' has no description.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["file"],
    "properties": {
      "file": {"type": "string", "description": "which file", "examples": ["made"]},
      "text": {"type": "string", "default": "hello"}
    }
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.undescribed-option", "1.0.0", Fault)
