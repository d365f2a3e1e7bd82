#include <signal.h>
#include <unistd.h>

#include "misbehaving.h"

namespace {
// Is killed, as by the kernel when memory runs out.
struct Fault {
  static constexpr auto name = "kill";
  static void act(drydock::Call&) { ::kill(::getpid(), SIGKILL); }
};
}  // namespace

DRYDOCK_PLUGIN("test.kill", "1.0.0", Misbehaving<Fault>)
