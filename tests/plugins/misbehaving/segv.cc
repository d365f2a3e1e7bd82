#include "misbehaving.h"

namespace {
// Writes where nothing is mapped.
struct Fault {
  static constexpr auto name = "segv";
  static void act(drydock::Call&) {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.segv", "1.0.0", Misbehaving<Fault>)
