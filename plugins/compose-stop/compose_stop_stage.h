// compose-stop: stops services, so that what they write stands still, and keeps them stopped.
#pragma once

#include <drydock/stage.hpp>

struct ComposeStop {
  static constexpr auto name = "compose-stop";
  static constexpr auto summary =
      "Stop services and keep them stopped; a rollback starts what ran before";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["services"],
    "properties": {
      "services": {
        "type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1,
        "description": "services to stop, found by the labels of their containers: one that the new release no longer has is stopped too, and one that does not run is fine",
        "examples": [["web", "api"]]
      },
      "grace": {
        "type": "string", "format": "duration",
        "description": "how long a container may take to stop before it is killed; by default what its compose file says, else 10s"
      },
      "wait": {
        "type": "string", "format": "duration", "default": "5m",
        "description": "rollback: how long all that ran before may take until it runs and is as healthy as it was"
      }
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  // No rollback: in the first pass there is nothing to undo, and what was stopped has to stay so
  // until everything has been put back.
  static void settle(drydock::Call& call);
};
