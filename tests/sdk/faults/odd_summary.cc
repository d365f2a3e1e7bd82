// Has a summary that a terminal acts upon.
// names: fail: Its stage type 'good' has no summary of one line, of at most 200 bytes and without
//   control characters, which `drydock stages` shows.
#include "good.h"

namespace {
struct Fault : Good {
  static constexpr auto summary = "Write \033[31mred";
};
}  // namespace

DRYDOCK_PLUGIN("test.odd-summary", "1.0.0", Fault)
