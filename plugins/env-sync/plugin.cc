#include "env_sync_stage.h"

DRYDOCK_PLUGIN("drydock.env-sync", "0.1.0", drydock::env_sync::EnvSync)
