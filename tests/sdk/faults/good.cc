// No fault at all.
#include "good.h"

DRYDOCK_PLUGIN("test.good", "1.0.0", Good)
