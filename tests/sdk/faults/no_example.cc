// Requires an option of which its schema names no value.
// steps: fail: It cannot be tried: the schema gives no example of file, which it requires: give
//   options with --with FILE.
// looks: skip: <...>
// killed: skip: <...>
// fuzz: skip: <...>
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["file"],
    "properties": {"file": {"type": "string", "description": "which file"}}
  })";
};
}  // namespace

DRYDOCK_PLUGIN("test.no-example", "1.0.0", Fault)
