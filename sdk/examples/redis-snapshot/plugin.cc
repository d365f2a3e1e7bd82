#include "redis_snapshot.h"

DRYDOCK_PLUGIN("org.example.redis-snapshot", "1.0.0", RedisSnapshot)
