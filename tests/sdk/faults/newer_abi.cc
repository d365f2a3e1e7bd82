// Built for a newer ABI than any host has.
// abi: fail: It is built for plugin ABI <...>.999 and this Drydock has <...>: rebuild the plugin
//   against this SDK, or upgrade Drydock.
#include "good.h"

#undef DRYDOCK_ABI_MINOR
#define DRYDOCK_ABI_MINOR 999

DRYDOCK_PLUGIN("test.newer-abi", "1.0.0", Good)
