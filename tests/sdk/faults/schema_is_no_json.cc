// An options schema that is no JSON.
// schema: fail: Its options schema is no JSON object: at line 1, column 2: syntax error while parsing object key -
//   unexpected end of input; expected string literal.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto options = "{";
};
}  // namespace

DRYDOCK_PLUGIN("test.schema-is-no-json", "1.0.0", Fault)
