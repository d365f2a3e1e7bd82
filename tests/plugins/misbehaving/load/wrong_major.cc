// A plugin of another major version of the boundary.
#include "harmless.h"

#undef DRYDOCK_ABI_MAJOR
#undef DRYDOCK_ABI_MINOR
#define DRYDOCK_ABI_MAJOR 99
#define DRYDOCK_ABI_MINOR 0

extern "C" {
DRYDOCK_NOTE("test.wrong-major", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  static drydock_plugin made = *drydock::plugin<Harmless>("test.wrong-major", "1.0.0");
  made.abi_major = DRYDOCK_ABI_MAJOR;
  made.abi_minor = DRYDOCK_ABI_MINOR;
  return &made;
}
}
