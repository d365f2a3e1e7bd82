#include "sample_options.h"

#include <algorithm>

#include "schema_lookup.h"

namespace drydock {

using nlohmann::json;

namespace {

// The first of a list of that name; nullptr where there is none, as in a schema that nobody
// checked.
const json* first_in(const json& schema, const char* name) {
  const json* list = keyword(schema, name);
  return list != nullptr && list->is_array() && !list->empty() ? &list->front() : nullptr;
}

}  // namespace

bool is_required(const json& schema, const std::string& key) {
  const json required = schema.value("required", json::array());
  return std::find(required.begin(), required.end(), json(key)) != required.end();
}

json sample_value(const std::string& key, const json& schema) {
  if (!schema.is_object()) return key;  // `true`: everything fits
  for (const char* from : {"example", "default", "const"}) {
    if (schema.contains(from)) return schema[from];
  }
  for (const char* list : {"examples", "enum"}) {
    if (const json* first = first_in(schema, list)) return *first;
  }
  for (const char* choice : {"oneOf", "anyOf"}) {
    if (const json* branch = first_in(schema, choice)) return sample_value(key, *branch);
  }
  const std::vector<std::string> types = type_names(schema);
  const std::string type = types.empty() ? "string" : types.front();
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
      const json* of_member = member_schema(schema, name);
      object[name] = sample_value(name, of_member == nullptr ? json::object() : *of_member);
    }
    return object;
  }
  return key;
}

bool has_sample(const json& schema) {
  for (const char* from : {"example", "default", "const"}) {
    if (schema.contains(from)) return true;
  }
  return first_in(schema, "examples") != nullptr || first_in(schema, "enum") != nullptr;
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
