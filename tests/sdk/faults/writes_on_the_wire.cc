// Writes on descriptor 3 what is no message.
// wire: fail: In its step run it sent <...>: descriptor 3 is Drydock's, leave it alone.
#include <unistd.h>

#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call&) {
    const char text[] = "    this is no frame at all";
    if (::write(3, text, sizeof text) < 0) throw drydock::Failed("the wire is not descriptor 3");
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.writes-on-the-wire", "1.0.0", Fault)
