// The note and the description name different ABIs.
// abi: fail: Its note says plugin ABI <...>, and drydock_plugin_v1() says <...>.999: rebuild all
//   of it against one SDK.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.abi-differs", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  static drydock_plugin made = *drydock::plugin<Good>("test.abi-differs", "1.0.0");
  made.abi_minor = 999;
  return &made;
}
}
