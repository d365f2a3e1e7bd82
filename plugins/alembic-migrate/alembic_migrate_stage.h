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
        "description": "where alembic_version is; without it what the application's variables in .env name, else the PostgreSQL, else the MariaDB or MySQL container of this deployment",
        "properties": {
          "service": {
            "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
            "description": "the database's service; of a list the first one that runs"
          },
          "url": {
            "type": "string", "minLength": 1, "writeOnly": true,
            "description": "a server outside this deployment: postgresql://, mariadb:// or mysql://user:password@host:port/name; asked from this machine"
          },
          "env": {
            "type": "object", "additionalProperties": false,
            "description": "the variables of .env by which the application finds its database",
            "properties": {
              "type": {"type": "string", "default": "DB_TYPE", "description": "postgresql, mariadb or mysql; where it is not set: by the port"},
              "user": {"type": "string", "default": "DB_USERNAME", "description": "who connects"},
              "password": {"type": "string", "default": "DB_PASSWORD", "description": "the password of that user"},
              "host": {"type": "string", "default": "DB_HOST", "description": "a service of this deployment, or a server outside, which is asked from this machine"},
              "port": {"type": "string", "default": "DB_PORT", "description": "the port, of a server outside"},
              "name": {"type": "string", "default": "DB_DATABASE", "description": "the database"}
            }
          },
          "name": {"type": "string", "minLength": 1, "description": "default: what .env or the url says, else POSTGRES_DB, MARIADB_DATABASE or MYSQL_DATABASE of the container"},
          "user": {"type": "string", "minLength": 1, "description": "default: the container's POSTGRES_USER; of MariaDB and MySQL root, where its password is known"},
          "role": {"type": "string", "minLength": 1, "description": "under which the application connects; default: the owner of alembic_version, else `user`"}
        }
      },
      "sqlite": {
        "type": "string", "minLength": 1,
        "description": "the SQLite file that has alembic_version, relative to the deployment",
        "examples": ["data/app.db"]
      },
      "mode": {
        "type": "string", "enum": ["run", "wait", "rehearse"], "default": "run",
        "description": "wait: the application migrates by itself when it starts, and this stage only waits until it has. rehearse: the migration is run on a copy of the database, which is dropped again, while the application goes on"
      },
      "rehearse": {
        "type": "object", "additionalProperties": false,
        "description": "how the migrator is sent to the copy when it is rehearsed",
        "properties": {
          "variables": {
            "type": "array", "items": {"type": "string", "minLength": 1},
            "description": "variables of the migrator that name the database, by its name or in a URL, beside those that are found by themselves: DB_DATABASE, POSTGRES_DB, MYSQL_DATABASE and the like where they have its name, and URLs of it",
            "examples": [["APP_DB"]]
          }
        }
      },
      "limit": {
        "type": "string", "format": "duration", "default": "30m",
        "description": "`mode: wait`: how long the application may take"
      },
      "check": {
        "type": "array", "items": {"type": "string"}, "minItems": 1,
        "description": "must end with 0 once the database is at the head: in a one-off container of the service in place of its entrypoint, else on this machine",
        "examples": [["flask", "check-database"]]
      },
      "sql": {
        "type": "boolean", "default": false,
        "description": "plan: show the SQL of each pending revision as Alembic prints it without a database; starts the migrator for it, a service's without network and volumes"
      },
      "lock_timeout": {
        "type": "string", "format": "duration", "default": "10s",
        "description": "how long a statement of the migration may wait for a lock, on MariaDB and MySQL in whole seconds; 0s: as the server has it. In a rehearsal: how long others may wait for alembic_version"
      },
      "lock_retries": {
        "type": "integer", "minimum": 0, "maximum": 100, "default": 3,
        "description": "PostgreSQL: how often to try again after a lock was not free in time"
      },
      "long_transactions": {
        "type": "string", "enum": ["refuse", "warn", "ignore"], "default": "refuse",
        "description": "what to do when a transaction of somebody else holds a table of the database"
      },
      "long_after": {
        "type": "string", "format": "duration", "default": "10s",
        "description": "how long such a transaction has to be open"
      },
      "large_table": {
        "type": "string", "format": "size", "default": "1GiB",
        "description": "from which size on the plan warns that a table is written anew, or kept from writers, by a pending revision"
      },
      "space": {
        "type": "string", "enum": ["refuse", "warn", "ignore"], "default": "refuse",
        "description": "what to do when less is free where the database's container keeps its data than the tables take whose columns get another type"
      },
      "rights": {
        "type": "string", "enum": ["refuse", "warn", "ignore"], "default": "refuse",
        "description": "what to do when the role or user that migrates may not change what pending revisions change"
      },
      "downgrade": {
        "type": "boolean", "default": false,
        "description": "roll back by the scripts' own downgrades, where those are known to lose nothing"
      },
      "downgrade_command": {
        "type": "array", "items": {"type": "string"}, "minItems": 1,
        "description": "the command to which the revision to go back to is added; without it that of the migrator, with `downgrade` for `upgrade`",
        "examples": [["flask", "db", "downgrade"]]
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
  static void settle(drydock::Call& call);
};
