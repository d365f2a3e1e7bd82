// compose-up: the right containers run, and only those.
#pragma once

#include <drydock/stage.hpp>

struct ComposeUp {
  static constexpr auto name = "compose-up";
  static constexpr auto summary =
      "Retire services that left the compose files, start the others, and prove that they are up";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "services": {
        "type": "array", "minItems": 1,
        "items": {
          "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
          ]
        },
        "description": "start only these services and what they depend on; a list within the list means those of it that the compose files have. By default all active services",
        "examples": [["database"], [["db_postgres", "db_mysql"], "redis"]]
      },
      "wait": {
        "type": "string", "format": "duration", "default": "5m",
        "description": "how long all of it may take until it runs and is healthy, or has finished with exit code 0; 0s: do not wait"
      },
      "healthy_for": {
        "type": "string", "format": "duration", "default": "0s",
        "description": "how long it must stay so afterwards, without a restart"
      },
      "shares": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "host paths and volumes that containers outside this deployment may have mounted writable at the same time"
      }
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
  static void settle(drydock::Call& call);
};
