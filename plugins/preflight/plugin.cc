#include "preflight_stage.h"

DRYDOCK_PLUGIN("drydock.preflight", "0.1.0", Preflight)
