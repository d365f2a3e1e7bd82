// A shared library with a plugin's note but without its entry function.
#include "harmless.h"

extern "C" {
DRYDOCK_NOTE("test.no-export", "1.0.0");
}
