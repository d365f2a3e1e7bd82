// Checks of the options schemas: what a person who writes a pipeline reads, and is told when wrong.
#include <algorithm>

#include "json_schema.h"
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "sample_options.h"
#include "schema.h"
#include "schema_lookup.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string quoted(const std::string& name) { return "'" + shorten(make_visible(name), 40) + "'"; }

// "" when it is a JSON Schema of an object.
std::string why_unusable(const StageDescription& stage) {
  if (const std::string& problem = stage.schema.problem(); !problem.empty()) {
    return "Its options schema " + make_visible(problem) + ".";
  }
  const json& schema = stage.schema.json();
  const auto rejected = json_schema_rejects(schema, json::object());
  if (rejected && rejected->find("cannot be used") != std::string::npos) {
    const std::size_t begin = rejected->find('(') + 1, end = rejected->rfind(')');
    return "Its options schema cannot be used: " + rejected->substr(begin, end - begin) + ".";
  }
  if (schema.value("type", json()) != "object") {
    return "Its options schema does not say \"type\": \"object\", which `with:` is.";
  }
  return "";
}

// A part of a schema that is used alone still refers to the whole of it.
json with_definitions(const json& root, json part) {
  for (const char* name : {"definitions", "$defs"}) {
    if (const json* found = keyword(root, name)) part[name] = *found;
  }
  return part;
}

// Without a text, list or mapping something is simply not done; a setting always has a value.
bool is_setting(const json& option) {
  const std::vector<std::string> types = type_names(option);
  const auto is_one = [](const std::string& type) {
    return type == "boolean" || type == "integer" || type == "number";
  };
  return option.contains("enum") || option.contains("format") ||
         (!types.empty() && std::all_of(types.begin(), types.end(), is_one));
}

constexpr int deepest = 8;  // a schema may refer to itself

// The first thing that is wrong with the properties of an object schema; `path` leads to it.
std::string wrong_property(const json& root, const json& schema, const std::string& path,
                           std::vector<std::string>& without_default, int depth = 0) {
  if (depth > deepest) return "";
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, raw] : properties.items()) {
    const json& option = follow_references(root, raw);
    const std::string name = path + key;
    if (!option.is_object()) continue;
    const auto described = [](const json& each) {
      return each.contains("description") && each["description"].is_string() &&
             !each["description"].get_ref<const std::string&>().empty();
    };
    if (!described(raw) && !described(option)) {
      return "Its option " + quoted(name) + " has no description.";
    }
    if (option.contains("default")) {
      json usual = option["default"];
      if (const auto problem = apply_schema(with_definitions(root, option), usual)) {
        return "The default of its option " + quoted(name) +
               " does not fit its own schema: " + full_stop(problem->sentence);
      }
    } else if (path.empty() && !is_required(schema, key) && is_setting(option)) {
      without_default.push_back(key);
    }
    for (const json* inner : {&option, keyword(option, "items")}) {
      if (inner == nullptr || !inner->is_object()) continue;
      std::vector<std::string> not_needed;
      const std::string wrong =
          wrong_property(root, follow_references(root, *inner), name + ".", not_needed, depth + 1);
      if (!wrong.empty()) return wrong;
    }
  }
  for (const json& name : schema.value("required", json::array())) {
    if (name.is_string() && !properties.contains(name.get_ref<const std::string&>())) {
      return "It requires " + quoted(path + name.get<std::string>()) +
             ", which is none of its options.";
    }
  }
  return "";
}

}  // namespace

Finding schema_of(CheckedStage& stage) {
  const StageDescription& said = stage.type.description;
  const std::string unusable = why_unusable(said);
  if (!unusable.empty()) return fail(unusable);
  const json& schema = said.schema.json();
  std::vector<std::string> without_default;
  const std::string wrong = wrong_property(schema, schema, "", without_default);
  if (!wrong.empty()) return fail(wrong);
  const bool is_open = schema.value("additionalProperties", json(true)) == true;
  for (const auto& [step, pointer] : said.steps) {
    if (pointer.empty()) continue;
    const std::string key = pointer.substr(1, pointer.find('/', 1) - 1);
    const bool is_option = schema.value("properties", json::object()).contains(key);
    if (pointer[0] == '/' && (is_option || is_open)) continue;
    return fail("Its step " + std::string(name_of(step)) + " exists only with " + quoted(pointer) +
                ", which leads to none of its options.");
  }
  if (is_open) {
    return {Verdict::warn,
            "Its options schema allows what it does not list, so that a misspelt option is taken "
            "without a word: say \"additionalProperties\": false."};
  }
  if (!without_default.empty()) {
    return {Verdict::warn, "Of its optional " + join(without_default, ", ") +
                               " no default says what holds without it."};
  }
  return {Verdict::pass, "Its options are described, and its defaults fit."};
}

std::vector<PluginCheck> schema_checks() {
  return {{"schema", "Its options are a JSON Schema with descriptions and defaults that fit.",
           [](CheckBench& bench) { return of_each_stage(bench, schema_of); }}};
}

}  // namespace drydock
