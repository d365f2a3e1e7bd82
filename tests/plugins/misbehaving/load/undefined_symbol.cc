// A plugin that lacks a library, which nobody noticed at link time.
#include "harmless.h"

void function_that_no_library_has();

struct NeedsIt : Harmless {
  static void run(drydock::Call&) { function_that_no_library_has(); }
};

DRYDOCK_PLUGIN("test.undefined-symbol", "1.0.0", NeedsIt)
