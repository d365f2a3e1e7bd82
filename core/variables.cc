// Values from outside of a pipeline file: --var, --vars-file, --with.
#include <set>
#include <utility>

#include "error.h"
#include "expression.h"
#include "option_words.h"
#include "pipeline.h"
#include "pipeline_stage.h"
#include "schema_lookup.h"
#include "text.h"
#include "yaml_tree.h"

namespace drydock {
namespace {

using nlohmann::json;

struct Assignment {
  std::string key;
  json value;
};

// Lists, mappings and quoted texts are YAML; all else is one plain value, so that neither "a: b"
// nor "#5" needs quotes on a command line. "key=" is an empty text.
Assignment read_assignment(const std::string& text, const std::string& option) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw Error(option + ": found '" + make_visible(shorten(text, 60)) +
                "', allowed: NAME=VALUE, for example " + option + " to=1.2.0.");
  }
  Assignment result{text.substr(0, equals), nullptr};
  const std::string value = text.substr(equals + 1);
  if (value.empty()) {
    result.value = "";
  } else if (std::string_view("[{\"'").find(value[0]) != std::string_view::npos) {
    Places ignored;
    result.value = to_json(parse_yaml(value, option + " " + result.key), ignored);
  } else {
    result.value = plain_value(value);
  }
  return result;
}

// Names that stand only before `??` need no declaration.
void collect_optional(const StageSpec& stage, const json& value, const std::string& pointer,
                      std::set<std::string>& names) {
  if (value.is_string()) {
    if (!has_expression(value)) return;
    for (const NameUse& use : name_uses(value, option_place(stage, pointer))) {
      if (use.may_be_undefined && use.path.rfind("vars.", 0) == 0) names.insert(use.path.substr(5));
    }
  } else if (value.is_array()) {
    for (const json& entry : value) collect_optional(stage, entry, pointer, names);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      collect_optional(stage, member, pointer_to(pointer, key), names);
    }
  }
}

std::set<std::string> known_variables(const Pipeline& pipeline) {
  std::set<std::string> names;
  for (const auto& [name, variable] : pipeline.vars) names.insert(name);
  for (const auto* stages : {&pipeline.stages, &pipeline.finally}) {
    for (const StageSpec& stage : *stages) {
      collect_optional(stage, stage.with, "", names);
      if (stage.when.empty()) continue;
      for (const NameUse& use : name_uses_in_condition(stage.when, stage.when_place)) {
        if (use.may_be_undefined && use.path.rfind("vars.", 0) == 0)
          names.insert(use.path.substr(5));
      }
    }
  }
  return names;
}

}  // namespace

Pipeline single_stage_pipeline(const std::string& uses, const std::vector<std::string>& with) {
  if (!is_stage_name(uses)) {
    throw Error("--uses: found '" + make_visible(shorten(uses, 60)) +
                "', allowed: the name of a stage type, as `drydock stages` lists them.");
  }
  Pipeline pipeline;
  pipeline.file = "--uses " + uses;
  pipeline.name = uses;
  StageSpec stage;
  stage.id = stage.name = stage.uses = uses;
  stage.place.file = pipeline.file;
  stage.places[""] = stage.place;
  for (const std::string& text : with) {
    Assignment option = read_assignment(text, "--with");
    if (stage.with.contains(option.key)) {
      throw Error("--with: found '" + option.key + "' a second time, allowed: once.");
    }
    stage.places[pointer_to("", option.key)] = Place{"--with " + option.key};
    stage.with[option.key] = std::move(option.value);
  }
  pipeline.stages.push_back(std::move(stage));
  return pipeline;
}

std::vector<GivenVar> read_vars(const std::vector<std::string>& files,
                                const std::vector<std::string>& assignments) {
  std::vector<GivenVar> given;
  for (const std::string& file : files) {
    const YamlNode root = read_yaml(file);
    if (root.kind != YamlNode::Kind::mapping) {
      throw Error(root.place.text() + ": found no mapping, allowed: lines such as 'name: value'.");
    }
    for (const auto& [key, value] : root.members) {
      Places ignored;
      given.push_back({key.text, to_json(value, ignored), key.place});
    }
  }
  for (const std::string& text : assignments) {
    Assignment assignment = read_assignment(text, "--var");
    given.push_back({assignment.key, std::move(assignment.value), Place{"--var"}});
  }
  return given;
}

json resolve_vars(const Pipeline& pipeline, const std::vector<GivenVar>& given,
                  const std::string& whose) {
  json values = json::object();
  for (const auto& [name, variable] : pipeline.vars) {
    if (!variable.required) values[name] = variable.value.value_or(nullptr);
  }
  const std::set<std::string> known = known_variables(pipeline);
  for (const auto& [name, given_value, place] : given) {
    if (known.count(name) == 0) {
      const std::vector<std::string> names(known.begin(), known.end());
      throw Error(full_stop(place.text() + ": found the variable '" +
                            make_visible(shorten(name, 60)) + "', which " + pipeline.file +
                            " does not declare, allowed: " +
                            (names.empty() ? "none" : join(names, ", ")) +
                            did_you_mean(name, names)));
    }
    json value = given_value;
    const auto spec = pipeline.vars.find(name);
    const bool is_text =
        spec != pipeline.vars.end() && spec->second.value && spec->second.value->is_string();
    // 2 for a variable whose default is '1' is the text '2'.
    if (is_text && (value.is_number() || value.is_boolean())) value = value.dump();
    values[name] = std::move(value);
  }
  for (const auto& [name, variable] : pipeline.vars) {
    if (!variable.required || (values.contains(name) && !values[name].is_null())) continue;
    throw Error(variable.place.text() + ": the variable '" + name + "'" +
                (variable.help.empty() ? "" : " (" + variable.help + ")") +
                " is required and has no value" + whose + "; give one with --var " + name +
                "=VALUE.");
  }
  return values;
}

}  // namespace drydock
