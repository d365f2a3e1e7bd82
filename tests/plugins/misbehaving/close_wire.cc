#include <unistd.h>

#include "misbehaving.h"

namespace {
// Closes the wire to the runner.
struct Fault {
  static constexpr auto name = "close-wire";
  static void act(drydock::Call&) { ::close(3); }
};
}  // namespace

DRYDOCK_PLUGIN("test.close-wire", "1.0.0", Misbehaving<Fault>)
