// A plugin of a newer minor version of the boundary than any host's.
#include "harmless.h"

#undef DRYDOCK_ABI_MINOR
#define DRYDOCK_ABI_MINOR 99

extern "C" {
DRYDOCK_NOTE("test.newer-minor", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  static drydock_plugin made = *drydock::plugin<Harmless>("test.newer-minor", "1.0.0");
  made.abi_major = DRYDOCK_ABI_MAJOR;
  made.abi_minor = DRYDOCK_ABI_MINOR;
  return &made;
}
}
