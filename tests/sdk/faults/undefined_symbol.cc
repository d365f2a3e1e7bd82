// Lacks a library, which nobody noticed at link time.
// loads: fail: It cannot be loaded, because no library that it is linked to has the symbol
//   'function_that_no_library_has': link that library to the plugin and rebuild it.
#include "good.h"

extern "C" void function_that_no_library_has();

namespace {
struct Fault : Good {
  static void run(drydock::Call&) { function_that_no_library_has(); }
};
}  // namespace

DRYDOCK_PLUGIN("test.undefined-symbol", "1.0.0", Fault)
