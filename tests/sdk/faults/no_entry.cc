// A shared library with a plugin's note but without its entry function.
// exports: fail: It does not export drydock_plugin_v1: register it with DRYDOCK_PLUGIN.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.no-entry", "1.0.0");
}
