// restore: puts databases back from a backup of an earlier run. What stands there is backed up
// first, so that its own rollback puts that back. `drydock backups restore` is a run of it.
#pragma once

#include <drydock/stage.hpp>

struct Restore {
  static constexpr auto name = "restore";
  static constexpr auto summary =
      "Put databases back from a backup of an earlier run, keeping what stands there";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["from"],
    "properties": {
      "from": {
        "type": "string", "minLength": 1,
        "description": "the folder of the backup, `.drydock/backups/RUN/STAGE`; relative to the deployment",
        "examples": [".drydock/backups/7/backup"]
      },
      "only": {
        "type": ["string", "array"], "items": {"type": "string", "minLength": 1}, "minItems": 1, "minLength": 1,
        "description": "names of databases, and paths of SQLite files; without it all that the backup has"
      },
      "databases": {
        "type": "array",
        "description": "how the servers are reached, as it stands in the backup's own stage: what it says of `url`, `user` and `password` counts",
        "items": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "service": {"type": ["string", "array"], "items": {"type": "string"}, "description": "not used"},
            "kind": {"type": "string", "description": "not used"},
            "names": {"type": ["string", "array"], "items": {"type": "string"}, "description": "not used"},
            "file": {"type": "string", "description": "not used"},
            "user": {"type": "string", "description": "not used: the backup knows it"},
            "url": {"type": "string", "writeOnly": true, "description": "where a database was dumped by URL: where it is now"},
            "password": {"type": "string", "writeOnly": true, "description": "of the user"}
          }
        }
      },
      "wait": {
        "type": "string", "format": "duration", "default": "60s",
        "description": "how long to wait for a database that starts, or for the lock of an SQLite file"
      }
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
};
