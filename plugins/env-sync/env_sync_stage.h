// The stage type env-sync: the operator's `.env` for a new release.
#pragma once

#include <drydock/stage.hpp>

namespace drydock::env_sync {

struct EnvSync {
  static constexpr auto name = "env-sync";
  static constexpr auto summary = "Carry the .env to the new release's template, losing nothing";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "env": {
        "type": "string", "default": ".env", "minLength": 1,
        "description": "the operator's file"
      },
      "template": {
        "type": ["string", "array"], "items": {"type": "string", "minLength": 1}, "minLength": 1, "minItems": 1,
        "default": ".env.example",
        "description": "the new release's template; several files or globs (`envs/**/*.env.example`) are read as one"
      },
      "also": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "default": ["*.env.example", "envs/**/*.env.example"],
        "description": "templates (files, globs) that are read only to say where variables have moved"
      },
      "base": {
        "type": "string", "default": "auto", "minLength": 1,
        "description": "the template that the `.env` was made from: auto (the last snapshot's, else that of the git tag which is the tag of the running image), none, a file, or `git:REF:path`"
      },
      "defaults": {
        "type": "string", "enum": ["auto", "keep", "adopt"], "default": "auto",
        "description": "what was never touched: auto follows new defaults but for sticky variables, keep changes none, adopt all"
      },
      "sticky": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "default": ["SECRET_KEY", "*_PASSWORD", "*_USERNAME", "DB_*", "*_DATABASE", "PGDATA", "*_VOLUME", "*_PATH", "*_ROOT", "STORAGE_TYPE", "OPENDAL_*", "VECTOR_STORE", "VECTOR_INDEX_NAME_PREFIX", "REDIS_KEY_PREFIX", "EXPOSE_*PORT", "COMPOSE_PROJECT_NAME"],
        "description": "globs (`*`, `?`) of variables that never follow a new default by themselves; credentials never do"
      },
      "linked": {
        "type": "array", "items": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "default": [
          ["COMPOSE_PROFILES", "ENABLE_COLLABORATION_MODE"], ["DB_HOST", "DB_TYPE", "COMPOSE_PROFILES"],
          ["VECTOR_STORE", "COMPOSE_PROFILES"], ["REDIS_PASSWORD", "CELERY_BROKER_URL"],
          ["SANDBOX_API_KEY", "CODE_EXECUTION_API_KEY"],
          ["WEAVIATE_API_KEY", "WEAVIATE_AUTHENTICATION_APIKEY_ALLOWED_KEYS"]
        ],
        "description": "groups of variables that follow new defaults together or not at all"
      },
      "renames": {
        "type": "object", "additionalProperties": {"type": "string", "minLength": 1}, "default": {},
        "description": "variables with a new name, `OLD: NEW`; the value goes along, as it is written"
      },
      "removed": {
        "type": "string", "enum": ["keep", "comment", "drop-untouched"], "default": "keep",
        "description": "what was never touched and is no longer in the template, unless it is sticky or a credential: keep it, make it a comment, or drop it"
      },
      "generate": {
        "type": "object",
        "additionalProperties": {"type": "string", "pattern": "^(base64|hex):([1-9][0-9]{0,3})$"},
        "examples": [{"SECRET_KEY": "base64:42"}],
        "description": "secrets to make where they are empty: `base64:BYTES` or `hex:BYTES`; without this option `SECRET_KEY: base64:42`, and only in a new `.env`"
      },
      "require": {
        "type": "array", "items": {"type": "string", "minLength": 1}, "default": [],
        "description": "variables that must have a value in the result"
      },
      "history_dir": {
        "type": "string", "default": "env-backup",
        "description": "where a copy of each replaced file is kept; empty: nowhere"
      },
      "proof": {
        "type": "string", "enum": ["compose", "own"], "default": "compose",
        "description": "before anything is written, let Docker Compose (where it is installed and the deployment has compose files) evaluate the old file and the new one; own: evaluate only here"
      },
      "explain": {
        "type": "string", "minLength": 1,
        "description": "plan: tell all about this one variable instead"
      }
    }
  })";

  static void observe(Call& call);
  static void plan(Call& call);
  static void run(Call& call);
  static void verify(Call& call);
  static void rollback(Call& call);
};

}  // namespace drydock::env_sync
