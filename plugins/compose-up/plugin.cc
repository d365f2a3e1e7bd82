#include "compose_up_stage.h"

DRYDOCK_PLUGIN("drydock.compose-up", "0.1.0", ComposeUp)
