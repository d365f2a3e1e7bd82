// backup: keeps what an upgrade could damage, and owns getting it back. Files, and databases of
// SQLite, PostgreSQL, MariaDB and MySQL; the migrating stages after it only report, and its
// rollback, which runs when all of theirs are done, restores.
#pragma once

#include <drydock/stage.hpp>

struct Backup {
  static constexpr auto name = "backup";
  static constexpr auto summary =
      "Keep files and databases, proven readable, and put them back in a rollback";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "minProperties": 1,
    "properties": {
      "files": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "files, folders and globs, relative to the deployment; kept with mode, owner and time",
        "examples": [[".env", "docker-compose*.yaml", "nginx/conf.d"]]
      },
      "sqlite": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "SQLite database files, relative to the deployment; copied consistently while others use them",
        "examples": [["data/app.db"]]
      },
      "databases": {
        "type": "array",
        "description": "databases: of services of this deployment, at a URL, or in SQLite files",
        "examples": [[{"service": ["database", "db"], "names": ["app"]}]],
        "items": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "service": {
              "type": ["string", "array"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
              "description": "the database's service; of a list the first one that runs, so that both names of a renamed service can be given. Without it: the only service that runs a database server"
            },
            "url": {
              "type": "string", "writeOnly": true, "minLength": 1,
              "description": "instead of service: a server outside this deployment, `postgresql://`, `mariadb://` or `mysql://user:password@host:port/name`; dumped by this machine's own clients"
            },
            "file": {
              "type": "string", "minLength": 1,
              "description": "instead of service: an SQLite database file, relative to the deployment; as in `sqlite`"
            },
            "kind": {
              "enum": ["auto", "postgresql", "mariadb", "mysql", "sqlite"], "default": "auto",
              "description": "auto: by the container's image and variables, or by the URL"
            },
            "names": {
              "type": ["string", "array"], "items": {"type": "string", "minLength": 1}, "minItems": 1, "minLength": 1,
              "description": "which databases; without it the URL's, else all but the server's own"
            },
            "user": {
              "type": "string", "default": "auto", "minLength": 1,
              "description": "who dumps and restores and may do both; auto: the container's POSTGRES_USER or root, or as the URL says"
            },
            "password": {
              "type": "string", "writeOnly": true,
              "description": "of the user; without it the container's own variables or the URL say it"
            }
          }
        }
      },
      "copy": {
        "type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1,
        "description": "a command that takes each dump elsewhere: program and arguments, to which the dump's path is added; when it fails the stage has failed",
        "examples": [["rclone", "copyto", "--immutable"]]
      },
      "check": {
        "enum": ["hash", "read", "restore"], "default": "hash",
        "description": "how **verify** proves each dump once more: by its SHA-256, by reading it to its end as a restore would, or by restoring it into a database of its own, which is dropped again"
      },
      "restore": {
        "enum": ["if-changed", "always", "never"], "default": "if-changed",
        "description": "whether a rollback restores databases: if-changed proves first that nothing changed since the dump, never leaves them to you. Files are always put back"
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
