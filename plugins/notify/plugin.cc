#include "notify_stage.h"

DRYDOCK_PLUGIN("drydock.notify", "0.1.0", Notify)
