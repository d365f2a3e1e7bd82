// A plugin without the note that tells who it is.
// note: fail: It is no Drydock plugin: it has no section .drydock, which DRYDOCK_PLUGIN writes.
#include "good.h"

extern "C" DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  return drydock::plugin<Good>("test.no-note", "1.0.0");
}
