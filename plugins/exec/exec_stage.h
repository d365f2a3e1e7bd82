// exec: runs a command that the pipeline gives, and where given others that prove, observe or undo
// what it does.
#pragma once

#include <drydock/stage.hpp>

struct Exec {
  static constexpr auto name = "exec";
  static constexpr auto summary =
      "Run a command, with optional commands that verify, observe and roll back what it does";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["command"],
    "properties": {
      "command": {
        "type": ["array", "string"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
        "description": "program and arguments, as a list; with shell: true also a line for /bin/sh. The last line that it prints becomes the output `result`",
        "examples": [["./hooks/after-upgrade", "--quick"]]
      },
      "shell": {
        "type": "boolean",
        "default": false,
        "description": "let /bin/sh interpret commands that are given as text"
      },
      "directory": {
        "type": "string",
        "minLength": 1,
        "description": "where the commands run; relative to the deployment, which is the default"
      },
      "environment": {
        "type": "object",
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "description": "variables for the commands, beside PATH, HOME, LANG and the like"
      },
      "secret_environment": {
        "type": "object",
        "additionalProperties": {"type": "string", "writeOnly": true},
        "description": "variables whose values are secret"
      },
      "verify": {
        "type": ["array", "string"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
        "description": "must succeed after the command, or the stage has failed"
      },
      "observe": {
        "type": ["array", "string"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
        "description": "prints the state that the command changes; equal before a run and after its rollback, or the rollback has failed"
      },
      "rollback": {
        "type": ["array", "string"], "items": {"type": "string"}, "minItems": 1, "minLength": 1,
        "description": "undoes the command, also when it was interrupted; must be safe to repeat"
      }
    }
  })";
  static constexpr auto observe_only_with = "/observe";
  static constexpr auto verify_only_with = "/verify";
  static constexpr auto rollback_only_with = "/rollback";

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
};
