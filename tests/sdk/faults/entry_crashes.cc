// Its entry function crashes.
// entry: fail: It crashed (SIGABRT) when drydock_plugin_v1() was called.
#include <cstdlib>

#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.entry-crashes", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) { std::abort(); }
}
