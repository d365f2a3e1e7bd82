#include <memory>
#include <vector>

#include "memory.h"
#include "misbehaving.h"

namespace {
// Takes memory until C++ has none to give.
struct Fault {
  static constexpr auto name = "memory-thrown";
  static void act(drydock::Call&) {
    std::vector<std::unique_ptr<char[]>> taken;
    for (int i = 0; i < memory_pieces; ++i) taken.emplace_back(new char[memory_piece]);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.memory-thrown", "1.0.0", Misbehaving<Fault>)
