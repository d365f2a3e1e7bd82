#include "misbehaving.h"

namespace {
// Throws what is no exception.
struct Fault {
  static constexpr auto name = "throws";
  static void act(drydock::Call&) { throw 7; }
};
}  // namespace

DRYDOCK_PLUGIN("test.throws", "1.0.0", Misbehaving<Fault>)
