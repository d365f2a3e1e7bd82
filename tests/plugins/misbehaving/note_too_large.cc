#include "misbehaving.h"

namespace {
// Remembers more than a note may hold.
struct Fault {
  static constexpr auto name = "note-too-large";
  static void act(drydock::Call& call) {
    call.remember("large", std::string(1024 * 1024 + 1, 'x'));
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.note-too-large", "1.0.0", Misbehaving<Fault>)
