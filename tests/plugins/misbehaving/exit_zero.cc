#include <unistd.h>

#include "misbehaving.h"

namespace {
// Leaves with success, but without an answer.
struct Fault {
  static constexpr auto name = "exit-zero";
  static void act(drydock::Call&) { ::_exit(0); }
};
}  // namespace

DRYDOCK_PLUGIN("test.exit-zero", "1.0.0", Misbehaving<Fault>)
