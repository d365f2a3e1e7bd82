// Returns another description each time that it is asked.
// entry: fail: drydock_plugin_v1() returned another description when it was called again: let it
//   return a static one.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.entry-changes", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  return new drydock_plugin(*drydock::plugin<Good>("test.entry-changes", "1.0.0"));
}
}
