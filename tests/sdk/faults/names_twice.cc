// Two stage types of one name.
// names: fail: It calls two stage types 'good': a pipeline could use one only.
#include "good.h"

DRYDOCK_PLUGIN("test.names-twice", "1.0.0", Good, Good)
