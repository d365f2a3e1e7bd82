#include <signal.h>
#include <unistd.h>

#include "misbehaving.h"

namespace {
// Never ends, and does not mind SIGTERM.
struct Fault {
  static constexpr auto name = "ignore-sigterm";
  static void act(drydock::Call&) {
    ::signal(SIGTERM, SIG_IGN);
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.ignore-sigterm", "1.0.0", Misbehaving<Fault>)
