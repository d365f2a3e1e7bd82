#include "source_stage.h"

DRYDOCK_PLUGIN("drydock.source", "0.1.0", drydock::source::Source)
