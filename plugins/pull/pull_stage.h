// pull: brings the images of the release onto the engine while the old version still runs.
#pragma once

#include <drydock/stage.hpp>

struct Pull {
  static constexpr auto name = "pull";
  static constexpr auto summary = "Bring the images of the new release while the old one runs on";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "only": {
        "anyOf": [
          {"type": "string", "enum": ["changed", "missing", "all"]},
          {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
        ],
        "default": "changed",
        "description": "changed: images whose name is another one than before, or that this engine does not have, so that a floating tag such as postgres:15-alpine stays as it runs; missing: only what this engine does not have; all: ask the registry for every image; a list: for those of these services, and leave all others alone",
        "examples": [["api", "worker"]]
      },
      "digests": {
        "anyOf": [
          {"type": "object", "additionalProperties": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}},
          {"type": "string"}
        ],
        "description": "the only images that are accepted: service or image name to the digest of its registry, or to its id. Also as JSON text, as the output `digests` of a pull that went well is. In a rollout it is by default what earlier waves have pulled",
        "promoted": "digests",
        "examples": [{"api": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}]
      },
      "load": {
        "type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1,
        "description": "archives of images (`docker save`, also compressed) to take them from instead of a registry; files and globs, relative to the deployment"
      }
    }
  })";
  static constexpr std::uint32_t notes_version = 2;

  static void observe(drydock::Call& call);
  static void plan(drydock::Call& call);
  static void run(drydock::Call& call);
  static void verify(drydock::Call& call);
  static void rollback(drydock::Call& call);
};
