// The note is of another version than the code.
// note: fail: Its note says test.note-differs 1.0.0, and drydock_plugin_v1() says
//   test.note-differs 1.0.1: rebuild it with DRYDOCK_PLUGIN, which writes both.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.note-differs", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  return drydock::plugin<Good>("test.note-differs", "1.0.1");
}
}
