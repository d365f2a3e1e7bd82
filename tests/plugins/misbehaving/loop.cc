#include "misbehaving.h"

namespace {
// Never ends, and never asks whether it is cancelled.
struct Fault {
  static constexpr auto name = "loop";
  static void act(drydock::Call&) {
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.loop", "1.0.0", Misbehaving<Fault>)
