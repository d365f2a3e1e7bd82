// pull: brings the images of the release onto the engine while the old version still runs.
#pragma once

#include <drydock/stage.hpp>

struct Pull {
  static constexpr auto name = "pull";
  static constexpr auto summary = "Pull the images of the new release while the old one runs on";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "only": {
        "type": "string", "enum": ["missing", "all"], "default": "missing",
        "description": "missing: images that this engine does not have, so that a moving tag such as postgres:15-alpine stays as it runs; all: ask the registry for every image"
      },
      "services": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "only the images of these services; by default of all active ones"
      }
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
};
