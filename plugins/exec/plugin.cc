#include "exec_stage.h"

DRYDOCK_PLUGIN("drydock.exec", "0.1.0", Exec)
