#include "backup_stage.h"
#include "drop_aside_stage.h"
#include "restore_stage.h"

DRYDOCK_PLUGIN("drydock.backup", "0.1.0", Backup, Restore, DropAside)
