// What the tests of the front end share.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "error.h"
#include "pipeline.h"
#include "plugin_index.h"

namespace drydock {

// The sentence of the Error that `act` throws, or "no error".
template <class Act>
std::string error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

inline std::map<std::string, IndexedStage> plugins_with(const std::string& type,
                                                        const nlohmann::json& schema) {
  IndexedStage stage;
  stage.plugin_id = "org.example." + type;
  stage.plugin_version = "1.0.0";
  stage.plugin_file = "/nowhere/" + type + ".so";
  stage.description.name = type;
  stage.description.schema = OptionsSchema(schema.dump());
  return {{type, stage}};
}

// `exec` and `notify`, as plugins would declare them.
inline PluginIndex sample_plugins() {
  auto stages = plugins_with("exec", nlohmann::json::parse(R"({
    "type": "object", "additionalProperties": false, "required": ["command"],
    "definitions": {"command": {"type": ["array", "string"], "items": {"type": "string"},
                                "minItems": 1, "minLength": 1}},
    "properties": {
      "command": {"$ref": "#/definitions/command"},
      "verify": {"$ref": "#/definitions/command"},
      "shell": {"type": "boolean", "default": false},
      "wait": {"type": "string", "format": "duration", "default": "1m"},
      "mode": {"enum": ["fast", "safe"]},
      "secret_environment": {"type": "object",
                             "additionalProperties": {"type": "string", "writeOnly": true}}}})"));
  stages.merge(plugins_with("notify", nlohmann::json::parse(R"({
    "type": "object", "additionalProperties": false, "required": ["webhook"],
    "properties": {
      "webhook": {"type": "string", "minLength": 1, "writeOnly": true},
      "text": {"type": "string", "default": "done"}}})")));
  return PluginIndex::of(std::move(stages));
}

inline Pipeline checked(const std::string& text) {
  Pipeline pipeline = parse_pipeline(text, "p.yaml");
  check_pipeline(pipeline, sample_plugins());
  return pipeline;
}

}  // namespace drydock
