#include <unistd.h>

#include "misbehaving.h"

namespace {
// Leaves a process behind that is in no process group of ours.
struct Fault {
  static constexpr auto name = "daemon";
  static void act(drydock::Call&) {
    if (::fork() != 0) return;
    ::setsid();
    ::close(3);
    for (;;) ::pause();
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.daemon", "1.0.0", Misbehaving<Fault>)
