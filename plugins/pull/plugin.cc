#include "pull_stage.h"

DRYDOCK_PLUGIN("drydock.pull", "0.1.0", Pull)
