// validate and stages: what a pipeline says, and what it may say.
#include <algorithm>
#include <iostream>

#include "command_rollout.h"
#include "commands.h"
#include "json_text.h"
#include "lookup.h"
#include "named_pipeline.h"
#include "sample_options.h"
#include "text.h"
#include "view_text.h"
#include "workbench.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string type_in_words(const json& schema) {
  if (!schema.is_object()) return "any";
  if (schema.contains("enum")) {
    std::vector<std::string> values;
    for (const json& value : schema["enum"])
      values.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    return join(values, " | ");
  }
  if (schema.contains("format")) return schema["format"].get<std::string>();
  for (const char* choice : {"oneOf", "anyOf"}) {
    if (!schema.contains(choice)) continue;
    std::vector<std::string> types;
    for (const json& each : schema[choice]) types.push_back(type_in_words(each));
    return join(types, " or ");
  }
  const json type = schema.value("type", json("any"));
  if (type.is_array()) {
    std::vector<std::string> types;
    for (const json& each : type) types.push_back(each.get<std::string>());
    return join(types, " or ");
  }
  const std::string name = type.get<std::string>();
  if (name == "array" && schema.contains("items"))
    return "list of " + type_in_words(schema["items"]);
  return name;
}

void print_wrapped(const std::string& text, const std::string& first, const std::string& next) {
  for (const std::string& line : wrap(text, style_of_stdout().width, first, next)) {
    std::cout << line << "\n";
  }
}

void print_options(const json& schema, const std::string& indent) {
  const std::string deeper = indent + "    ";
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, option] : properties.items()) {
    std::string kind = type_in_words(option);
    if (is_required(schema, key)) kind += ", required";
    if (option.contains("default")) kind += ", default " + option["default"].dump();
    if (option.is_object() && option.value("writeOnly", false)) kind += ", secret";
    print_wrapped(kind, indent + pad(make_visible(key), 18) + " ", deeper);
    if (option.contains("description")) {
      print_wrapped(option["description"].get<std::string>(), deeper, deeper);
    }
    if (option.contains("properties")) print_options(option, indent + "  ");
    if (option.contains("items") && option["items"].contains("properties"))
      print_options(option["items"], indent + "  ");
  }
}

// JSON is YAML: the options of the example in flow style, one a line.
void print_example(const StageDescription& stage) {
  const bool is_probe = stage.name == probe_type;
  std::cout << (is_probe ? "probe:" : "- uses: " + stage.name) << "\n";
  json shown = json::object();
  const json properties = stage.schema.json().value("properties", json::object());
  for (const auto& [key, option] : properties.items()) {
    if (is_required(stage.schema.json(), key)) shown[key] = sample_value(key, option);
  }
  // Nothing has to be given: what the author chose to show, else the first option.
  if (shown.empty() && !properties.empty()) {
    auto option = std::find_if(properties.begin(), properties.end(),
                               [](const json& each) { return each.contains("example"); });
    if (option == properties.end()) option = properties.begin();
    shown[option.key()] = sample_value(option.key(), option.value());
  }
  if (shown.empty()) return;
  if (!is_probe) std::cout << "  with:\n";
  for (const auto& [key, value] : shown.items())
    std::cout << (is_probe ? "  " : "    ") << key << ": " << value.dump() << "\n";
}

std::string steps_in_words(const StageDescription& stage) {
  std::vector<std::string> steps;
  for (const auto& [step, only_with] : stage.steps) {
    steps.push_back(std::string(name_of(step)) +
                    (only_with.empty() ? "" : " (with " + only_with.substr(1) + ")"));
  }
  return join(steps, ", ");
}

json to_json(const IndexedStage& stage) {
  json steps = json::object();
  for (const auto& [step, only_with] : stage.description.steps)
    steps[std::string(name_of(step))] = only_with;
  return {{"name", stage.description.name},
          {"summary", stage.description.summary},
          {"plugin", stage.plugin_id},
          {"plugin_version", stage.plugin_version},
          {"plugin_file", stage.plugin_file},
          {"steps", steps},
          {"options", stage.description.schema.json()}};
}

}  // namespace

ExitCode command_validate(const Arguments& arguments) {
  if (!arguments.positional.empty() && is_rollout_file(arguments.positional[0])) {
    return validate_rollout(arguments, arguments.positional[0]);
  }
  mention_interruption(arguments);
  Workbench bench(arguments);
  const Pipeline pipeline = find_pipeline(arguments, bench.installation());
  const PluginIndex plugins = bench.plugins(pipeline);
  check_pipeline(pipeline, plugins);
  // Values that were given are checked too; what is required and missing is no fault of the file.
  if (!arguments.vars.empty() || !arguments.vars_files.empty()) {
    resolve_vars(pipeline, read_vars(arguments.vars_files, arguments.vars));
  }
  if (arguments.json) {
    json vars = json::object();
    for (const auto& [name, variable] : pipeline.vars) {
      vars[name] = {{"required", variable.required},
                    {"default", variable.value.value_or(json())},
                    {"help", variable.help}};
    }
    std::cout << indented({{"pipeline", pipeline.name},
                           {"file", pipeline.file},
                           {"valid", true},
                           {"stages", pipeline.stages.size()},
                           {"finally", pipeline.finally.size()},
                           {"vars", vars}});
    return ExitCode::done;
  }
  const auto stages = static_cast<std::int64_t>(pipeline.stages.size());
  std::cout << pipeline.file << ": valid; " << count_of(stages, "stage")
            << (pipeline.finally.empty()
                    ? ""
                    : ", " + std::to_string(pipeline.finally.size()) + " in finally")
            << "\n";
  for (const auto& [name, variable] : pipeline.vars) {
    const std::string value =
        variable.required ? "required" : "default " + variable.value.value_or(json()).dump();
    print_wrapped(value + (variable.help.empty() ? "" : "   " + variable.help),
                  "  var " + pad(name, 14) + " ", std::string(21, ' '));
  }
  return ExitCode::done;
}

ExitCode command_stages(const Arguments& arguments) {
  mention_interruption(arguments);
  Workbench bench(arguments);
  const PluginIndex plugins = bench.plugins_as_found();
  if (arguments.positional.empty()) {
    json list = json::array();
    for (const auto& [name, stage] : plugins.stages()) {
      if (arguments.json)
        list.push_back(to_json(stage));
      else
        print_wrapped(stage.description.summary, pad(name, 18) + " ", std::string(19, ' '));
    }
    if (arguments.json) {
      json problems = json::array();
      for (const PluginProblem& problem : plugins.problems()) problems.push_back(problem.sentence);
      std::cout << indented({{"stages", list}, {"problems", problems}});
    } else {
      for (const PluginProblem& problem : plugins.problems())
        std::cout << "broken: " << problem.sentence << "\n";
    }
    return ExitCode::done;
  }
  const IndexedStage& stage = plugins.require(arguments.positional.front(), "stages");
  if (arguments.json) {
    std::cout << indented(to_json(stage));
    return ExitCode::done;
  }
  print_wrapped(stage.description.summary, stage.description.name + ": ", "  ");
  std::cout << "plugin  " << stage.plugin_id << " " << stage.plugin_version << ", "
            << stage.plugin_file << "\n"
            << "steps   " << steps_in_words(stage.description) << "\n\nOptions\n";
  print_options(stage.description.schema.json(), "  ");
  std::cout << "\nExample\n";
  print_example(stage.description);
  return ExitCode::done;
}

}  // namespace drydock
