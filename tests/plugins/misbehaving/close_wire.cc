#include <unistd.h>

#include "misbehaving.h"

namespace {
// Closes the wire to the runner, over which it then cannot answer.
struct Fault {
  static constexpr auto name = "close-wire";
  static void act(drydock::Call&) {
    ::close(3);
    throw drydock::Failed("nobody hears this");
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.close-wire", "1.0.0", Misbehaving<Fault>)
