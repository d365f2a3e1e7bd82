// redis-snapshot: keeps what the Redis of a Compose service holds, so that a rollback puts it back.
// A newer Redis writes files that an older one cannot read: without this its data would be lost on
// the way back.
#pragma once

#include <drydock/stage.hpp>

struct RedisSnapshot {
  static constexpr auto name = "redis-snapshot";
  static constexpr auto summary = "Keep the data of a Redis service; a rollback puts it back";
  static constexpr auto options = R"({
    "type": "object", "additionalProperties": false,
    "properties": {
      "service": {"type": "string", "minLength": 1, "default": "redis",
        "description": "the Compose service"},
      "data": {"type": "string", "minLength": 1, "default": "volumes/redis/data",
        "description": "the folder that is mounted as its data folder, relative to the deployment"},
      "user": {"type": "string", "minLength": 1, "default": "default",
        "description": "who logs in with the password, where the server has users"},
      "password": {"type": "string", "writeOnly": true,
        "description": "its password; not needed where the container has REDISCLI_AUTH"},
      "wait": {"type": "string", "format": "duration", "default": "10m",
        "description": "how long the server may take to write a snapshot, and to load one"}
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
  static void settle(drydock::Call& call);
};
