#include <cstdlib>

#include "memory.h"
#include "misbehaving.h"

namespace {
// Takes memory as careless C does, which never looks whether it got any.
struct Fault {
  static constexpr auto name = "memory-null";
  static void act(drydock::Call&) {
    for (int i = 0; i < memory_pieces; ++i) {
      *static_cast<volatile char*>(std::malloc(memory_piece)) = 'x';
    }
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.memory-null", "1.0.0", Misbehaving<Fault>)
