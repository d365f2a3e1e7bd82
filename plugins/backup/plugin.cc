#include "backup_stage.h"

DRYDOCK_PLUGIN("drydock.backup", "0.1.0", Backup)
