#include <cstdlib>

#include "misbehaving.h"

namespace {
// Gives up, as a failed assertion does.
struct Fault {
  static constexpr auto name = "abort";
  static void act(drydock::Call&) { std::abort(); }
};
}  // namespace

DRYDOCK_PLUGIN("test.abort", "1.0.0", Misbehaving<Fault>)
