// preflight: refuses an upgrade that cannot go well, before anything is done. Changes nothing.
// It stands after `source`, whose plan lets it see the new release's compose files.
#pragma once

#include <drydock/stage.hpp>

struct Preflight {
  static constexpr auto name = "preflight";
  static constexpr auto summary =
      "Refuse what cannot go well: versions, machine, room, ports, volumes, the order of releases";
  static constexpr auto options = R"json({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "engine": {
        "type": "string", "default": "20.10", "minLength": 1,
        "description": "the oldest Docker engine that will do"
      },
      "compose": {
        "type": "string", "default": "2.24", "minLength": 1,
        "description": "the oldest Docker Compose that can read the release's files"
      },
      "memory": {
        "type": "string", "format": "size",
        "description": "how much memory the engine's machine must have",
        "examples": ["4GiB"]
      },
      "cpus": {
        "type": "integer", "minimum": 1,
        "description": "how many CPUs the engine's machine must have"
      },
      "disk": {
        "type": "string", "format": "size",
        "description": "how much must be free where the engine keeps its images",
        "examples": ["10GiB"]
      },
      "databases": {
        "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}],
        "description": "services whose data must fit twice more, as a dump and as a copy that is restored beside it; by default those that look like databases, `[]` for none",
        "examples": [["db_postgres", "db"]]
      },
      "ports": {
        "type": "boolean", "default": true,
        "description": "whether the ports on which services are published must be free, or their own already"
      },
      "moved": {
        "type": "array", "items": {"type": "string", "minLength": 1},
        "description": "services whose data is meant to be in another volume or folder from now on"
      },
      "releases": {
        "type": "object",
        "additionalProperties": false,
        "required": ["service", "to"],
        "description": "the order in which releases may follow each other",
        "properties": {
          "service": {
            "type": "string", "minLength": 1,
            "description": "whose image's tag says which release runs"
          },
          "to": {
            "type": "string", "minLength": 1,
            "description": "the release to upgrade to; an older one than what runs is refused"
          },
          "oldest": {
            "type": "string", "minLength": 1,
            "description": "the oldest release that one may come from"
          },
          "stops": {
            "type": "array", "items": {"type": "string", "minLength": 1},
            "description": "releases that may not be jumped over"
          },
          "each": {
            "type": "array", "items": {"type": "string", "minLength": 1},
            "description": "all releases, where none may be jumped over"
          },
          "renamed": {
            "type": "object", "additionalProperties": {"type": "string", "minLength": 1},
            "description": "services with a new name, `OLD: NEW`; the new one must have its data where the old one had it",
            "examples": [{"db": "db_postgres"}]
          },
          "steps": {
            "type": "array",
            "items": {
              "type": "object", "additionalProperties": false, "required": ["release", "text"],
              "properties": {
                "release": {"type": "string", "minLength": 1, "description": "the release that asks for it"},
                "text": {"type": "string", "minLength": 1, "description": "what is to be done, and why"},
                "command": {"type": "string", "minLength": 1, "description": "the command, for people"},
                "acknowledge": {"type": "boolean", "default": false, "description": "refuse until `acknowledged` names the release"}
              }
            },
            "description": "what releases ask for beside the upgrade: shown in the plan of whoever comes to them or past them"
          },
          "acknowledged": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string", "minLength": 1}}],
            "description": "releases whose steps are done, or will be"
          }
        },
        "examples": [{"service": "api", "to": "2.0", "stops": ["1.10"]}]
      }
    }
  })json";

  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  // Says that nothing stays behind: a stage without a rollback is named as one that was not undone.
  static void rollback(drydock::Call&) {}
};
