// Has a secret that is no option of its own, of which the check knows no value.
// secrets: skip: Its secret 'login.password' has no value to look for: give one with --with FILE.
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
      "login": {"type": "object", "additionalProperties": false, "description": "who", "properties": {
        "password": {"type": "string", "writeOnly": true, "description": "a secret"}}}
    }
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.nested-secret", "1.0.0", Fault)
