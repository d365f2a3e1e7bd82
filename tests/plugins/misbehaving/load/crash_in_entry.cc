// A plugin whose entry function crashes.
#include <cstdlib>

#include "harmless.h"

extern "C" {
DRYDOCK_NOTE("test.crash-in-entry", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) { std::abort(); }
}
