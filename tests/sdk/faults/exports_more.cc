// Offers a function of its own to all others that are loaded.
// exports: fail: It also exports extra_function<...>: build it with drydock_add_plugin, or link it
//   with an export map.
#include "good.h"

extern "C" DRYDOCK_EXPORT int extra_function(void) { return 1; }

DRYDOCK_PLUGIN("test.exports-more", "1.0.0", Good)
