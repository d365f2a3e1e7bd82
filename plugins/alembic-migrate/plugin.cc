#include "alembic_migrate_stage.h"

DRYDOCK_PLUGIN("drydock.alembic-migrate", "0.1.0", AlembicMigrate)
