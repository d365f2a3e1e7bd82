// An options schema that takes a misspelt option without a word.
// schema: warn: Its options schema allows what it does not list, so that a misspelt option is
//   taken without a word: say "additionalProperties": false.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    
    "required": ["file"],
    "properties": {
      "file": {"type": "string", "description": "which file", "examples": ["made"]},
      "text": {"type": "string", "default": "hello", "description": "what to write"}
    }
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.takes-any-option", "1.0.0", Fault)
