// Returns no description.
// entry: fail: It describes itself wrongly: drydock_plugin_v1() must return its id, its version
//   and between 1 and 256 stage types, each with its size.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.entry-null", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) { return nullptr; }
}
