#include "compose_stop_stage.h"

DRYDOCK_PLUGIN("drydock.compose-stop", "0.1.0", ComposeStop)
