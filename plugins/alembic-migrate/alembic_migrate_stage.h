// alembic-migrate: brings a database to the newest revision of its Alembic scripts, and believes
// that only when the database says so: migrators have ended with exit code 0 after a failure, and
// after doing nothing because another one held their lock.
#pragma once

#include <drydock/stage.hpp>

struct AlembicMigrate {
  static constexpr auto name = "alembic-migrate";
  static constexpr auto summary =
      "Run the Alembic migrations of a new release, and prove that the database is at their head";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "anyOf": [{"required": ["service"]}, {"required": ["command"]}],
    "properties": {
      "service": {
        "type": "string", "minLength": 1,
        "description": "the migrations run in a one-off container of this service; without it `command` runs on this machine",
        "examples": ["api"]
      },
      "environment": {
        "type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "description": "variables for the migrator, beside those of the service",
        "examples": [{"MODE": "migration", "MIGRATION_ENABLED": "true"}]
      },
      "secret_environment": {
        "type": "object", "additionalProperties": {"type": "string", "writeOnly": true},
        "description": "variables whose values are secret; they are in no argument list"
      },
      "entrypoint": {
        "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
        "description": "instead of the image's, for images whose entrypoint ignores the command",
        "examples": [["flask", "db", "upgrade"]]
      },
      "command": {
        "type": "array", "items": {"type": "string"}, "minItems": 1,
        "description": "the migrator's program and arguments; in a container: the arguments of its entrypoint",
        "examples": [["alembic", "upgrade", "head"]]
      },
      "scripts": {
        "type": "string", "minLength": 1, "default": "auto",
        "description": "the folder of the migration scripts, or their alembic.ini: in the service's image, else on this machine; relative to where the migrator runs. auto: as its command says, else alembic.ini, migrations or alembic",
        "examples": ["/app/api/migrations"]
      },
      "heads_command": {
        "type": "array", "items": {"type": "string"}, "minItems": 1,
        "description": "where the scripts cannot be read: prints their heads, as `alembic heads` does; the entrypoint is not used for it. Without it: for a service `flask db heads`, else `alembic heads`; for a command that ends in `upgrade` the same with `heads`"
      },
      "database": {
        "type": "object", "additionalProperties": false,
        "description": "where alembic_version is; without it the PostgreSQL container of this deployment",
        "properties": {
          "service": {
            "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
            "description": "the database's service; of a list the first one that runs"
          },
          "name": {"type": "string", "minLength": 1, "description": "default: the container's POSTGRES_DB"},
          "user": {"type": "string", "minLength": 1, "description": "default: the container's POSTGRES_USER"}
        }
      },
      "sqlite": {
        "type": "string", "minLength": 1,
        "description": "the SQLite file that has alembic_version, relative to the deployment",
        "examples": ["data/app.db"]
      },
      "wait": {
        "type": "string", "format": "duration", "default": "60s",
        "description": "how long to wait until the database accepts connections"
      }
    }
  })";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
};
