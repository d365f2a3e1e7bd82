// A plugin without the note that tells who it is.
#include "harmless.h"

extern "C" {
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  return drydock::plugin<Harmless>("test.no-note", "1.0.0");
}
}
