#include <unistd.h>

#include "misbehaving.h"

namespace {
// Announces a frame of 2 GiB, and waits.
struct Fault {
  static constexpr auto name = "oversized-frame";
  static void act(drydock::Call&) {
    const char announced[] = "\x7f\x7f\x7f\x7f{}";
    if (::write(3, announced, 6) < 0) throw drydock::Failed("the wire is not fd 3");
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.oversized-frame", "1.0.0", Misbehaving<Fault>)
