#include <signal.h>

#include "misbehaving.h"

namespace {
// Writes where nothing is mapped.
struct Fault {
  static constexpr auto name = "segv";
  static void act(drydock::Call&) {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would end the process in its own way
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.segv", "1.0.0", Misbehaving<Fault>)
