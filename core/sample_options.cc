#include "sample_options.h"

#include <algorithm>

namespace drydock {

using nlohmann::json;

bool is_required(const json& schema, const std::string& key) {
  const json required = schema.value("required", json::array());
  return std::find(required.begin(), required.end(), json(key)) != required.end();
}

json sample_value(const std::string& key, const json& schema) {
  for (const char* from : {"example", "default", "const"}) {
    if (schema.contains(from)) return schema[from];
  }
  if (schema.contains("examples") && !schema["examples"].empty()) return schema["examples"][0];
  if (schema.contains("enum")) return schema["enum"][0];
  for (const char* choice : {"oneOf", "anyOf"}) {
    if (schema.contains(choice)) return sample_value(key, schema[choice][0]);
  }
  const json named = schema.value("type", json("string"));
  const std::string type =
      named.is_array() ? named[0].get<std::string>() : named.get<std::string>();
  if (schema.value("writeOnly", false)) return "${{ secrets." + key + " }}";
  if (schema.value("format", "") == "duration") return "30s";
  if (schema.value("format", "") == "size") return "64MiB";
  if (type == "integer" || type == "number") return schema.value("minimum", json(1));
  if (type == "boolean") return true;
  if (type == "array")
    return json::array({sample_value(key, schema.value("items", json::object()))});
  if (type == "object") {
    json object = json::object();
    for (const json& required : schema.value("required", json::array())) {
      const std::string name = required.get<std::string>();
      object[name] = sample_value(name, schema["properties"].value(name, json::object()));
    }
    return object;
  }
  return key;
}

bool has_sample(const json& schema) {
  for (const char* from : {"example", "default", "const"}) {
    if (schema.contains(from)) return true;
  }
  for (const char* list : {"examples", "enum"}) {
    if (schema.contains(list) && schema[list].is_array() && !schema[list].empty()) return true;
  }
  return false;
}

json sample_options(const json& schema, std::vector<std::string>& missing) {
  json options = json::object();
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, option] : properties.items()) {
    if (!is_required(schema, key)) continue;
    if (has_sample(option)) {
      options[key] = sample_value(key, option);
    } else {
      missing.push_back(key);
    }
  }
  return options;
}

}  // namespace drydock
