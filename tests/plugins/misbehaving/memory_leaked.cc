#include <cstdlib>

#include "memory.h"
#include "misbehaving.h"

namespace {
// Leaks until there is nothing left, not even for the host to answer with.
struct Fault {
  static constexpr auto name = "memory-leaked";
  static void act(drydock::Call& call) {
    for (std::size_t size = memory_piece; size >= 16; size /= 2) {
      for (int i = 0; i < memory_pieces && std::malloc(size) != nullptr; ++i) {
      }
    }
    call.info("there is no memory left");
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.memory-leaked", "1.0.0", Misbehaving<Fault>)
