#include <unistd.h>

#include "misbehaving.h"

namespace {
// Writes on the wire what is no frame, and waits.
struct Fault {
  static constexpr auto name = "garbage";
  static void act(drydock::Call&) {
    const char text[] = "    this is no frame at all";
    if (::write(3, text, sizeof text) < 0) throw drydock::Failed("the wire is not fd 3");
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.garbage", "1.0.0", Misbehaving<Fault>)
