#include <signal.h>

#include "misbehaving.h"

namespace {
// Writes where nothing is mapped.
struct Fault {
  static constexpr auto name = "segv";
  // Not checked by a sanitizer, which would end the process in its own way.
  __attribute__((no_sanitize("undefined", "address"))) static void act(drydock::Call&) {
    ::signal(SIGSEGV, SIG_DFL);
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.segv", "1.0.0", Misbehaving<Fault>)
