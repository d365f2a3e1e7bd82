// set-aside: drops the databases that restores of one backup's folder have set aside. It is no
// stage of pipelines: `drydock backups prune` and `history --prune` have it performed, in the
// private folder of the stage that restored.
#pragma once

#include <drydock/stage.hpp>

struct DropAside {
  static constexpr auto name = "set-aside";
  static constexpr auto summary =
      "Drop databases that restores have set aside (performed by `drydock backups prune`)";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["only"],
    "properties": {
      "only": {
        "type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1,
        "description": "which of them: the names of their files in the folder `set-aside`, without `.json`"
      },
      "databases": {
        "type": "array", "items": {"type": "object"},
        "description": "how the servers are reached, as it stands in the stage that restored"
      },
      "wait": {
        "type": "string", "format": "duration", "default": "60s",
        "description": "how long to wait for a database that starts"
      }
    }
  })";

  static void run(drydock::Call& call);
};
