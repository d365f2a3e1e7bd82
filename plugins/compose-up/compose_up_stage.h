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
        "example": ["database"],
        "examples": [["database"], [["db_postgres", "db_mysql"], "redis"]]
      },
      "wait": {
        "type": "string", "format": "duration", "default": "5m",
        "description": "how long all of it may take until it runs and is healthy, or has finished with exit code 0; 0s: do not wait. One after the other: each service"
      },
      "healthy_for": {
        "type": "string", "format": "duration",
        "description": "how long what was started must stay so afterwards, without a restart; by default 5s where a service has no health check"
      },
      "strategy": {
        "type": "string", "enum": ["recreate", "one-by-one", "rolling"], "default": "recreate",
        "description": "recreate: all at once; one-by-one: each service is up before the next one is touched; rolling: a new container beside the old one, which leaves when the new one is up"
      },
      "drain": {
        "type": "object", "additionalProperties": false, "default": {},
        "description": "rolling: how the old container leaves",
        "examples": [{"command": ["touch", "/tmp/draining"], "wait": "5s"}],
        "properties": {
          "command": {
            "type": "array", "items": {"type": "string"}, "minItems": 1,
            "description": "rolling: what to run in the old container, so that a proxy sends it nothing any more",
            "examples": [["touch", "/tmp/draining"]]
          },
          "wait": {
            "type": "string", "format": "duration", "default": "5s",
            "description": "rolling: how long the old container goes on after that, or after the new one is up, before it is stopped"
          }
        }
      },
      "one_shot": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "services that do their work and end: they must finish with exit code 0. Those that others wait for to finish need not be named"
      },
      "retire": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "only these services are stopped and removed, also those that the files still have in an inactive profile; by default all that have left the compose files"
      },
      "shares": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "host paths and volumes that several containers may write to at the same time"
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
