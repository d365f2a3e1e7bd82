#include "pipeline.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "error.h"
#include "expression.h"
#include "files.h"
#include "pipeline_secret.h"
#include "pipeline_stage.h"
#include "stage_list.h"
#include "text.h"
#include "version_range.h"
#include "yaml_reader.h"
#include "yaml_tree.h"

namespace drydock {
namespace {

// nullopt: auto.
bool is_auto(const YamlNode& node) {
  return node.kind == YamlNode::Kind::scalar && node.text == "auto";
}

std::optional<std::vector<std::string>> texts_or_auto(const YamlNode* node,
                                                      const std::string& where) {
  if (node == nullptr || is_auto(*node)) return std::nullopt;
  if (node->kind != YamlNode::Kind::sequence) {
    refuse(node->place, found_in(*node), where, "auto or a list of texts");
  }
  return read_texts(*node, where);
}

DeploymentSpec read_deployment(const YamlNode& node) {
  const MappingReader reader(node, "'deployment:'", {"dir", "files", "project", "profiles"});
  DeploymentSpec deployment;
  if (const YamlNode* dir = reader.find("dir")) deployment.dir = read_text(*dir, "'dir:'");
  deployment.files = texts_or_auto(reader.find("files"), "'files:'");
  deployment.profiles = texts_or_auto(reader.find("profiles"), "'profiles:'");
  const YamlNode* project = reader.find("project");
  if (project != nullptr && !is_auto(*project)) {
    deployment.project = read_text(*project, "'project:'");
  }
  return deployment;
}

void refuse_expressions(const YamlNode& node, const std::string& where) {
  if (node.kind == YamlNode::Kind::scalar && has_expression(node.text)) read_text(node, where);
  for (const YamlNode& item : node.items) refuse_expressions(item, where);
  for (const auto& [key, value] : node.members) refuse_expressions(value, where);
}

VariableSpec read_variable(const std::string& name, const YamlNode& node) {
  VariableSpec variable;
  variable.place = node.place;
  const std::string where = "the variable '" + name + "'";
  refuse_expressions(node, where);
  Places ignored;
  if (node.kind != YamlNode::Kind::mapping) {
    if (node.kind != YamlNode::Kind::null) variable.value = to_json(node, ignored);
    return variable;
  }
  const MappingReader reader(node, where, {"required", "default", "help"});
  if (const YamlNode* required = reader.find("required")) {
    variable.required = read_boolean(*required, "'required:'");
  }
  if (const YamlNode* help = reader.find("help")) variable.help = read_text(*help, "'help:'");
  if (const YamlNode* value = reader.find("default")) {
    if (variable.required) {
      refuse(value->place, "both 'required: true' and 'default:'", where, "one of them");
    }
    if (value->kind != YamlNode::Kind::null) variable.value = to_json(*value, ignored);
  }
  return variable;
}

PluginPin read_pin(const std::string& id, const YamlNode& node) {
  const MappingReader reader(node, "the pin of plugin '" + id + "'", {"version", "sha256"});
  PluginPin pin;
  pin.place = node.place;
  if (const YamlNode* version = reader.find("version")) {
    pin.version = read_text(*version, "'version:'");
    if (!VersionRange::parse(pin.version)) {
      refuse(version->place, found_in(*version), "'version:'",
             "a version such as 1.2.0, or bounds such as \">=1.2 <2\"");
    }
  }
  if (const YamlNode* digest = reader.find("sha256")) {
    pin.sha256 = read_text(*digest, "'sha256:'");
    for (char& c : pin.sha256) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    if (pin.sha256.size() != 64 ||
        pin.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
      refuse(digest->place, found_in(*digest), "'sha256:'", "64 hexadecimal digits");
    }
  }
  return pin;
}

// The members of a mapping of names: `vars:`, `secrets:`, `plugins:`.
template <class Read>
void for_each_member(const YamlNode* node, const std::string& where, Read read) {
  if (node == nullptr || node->kind == YamlNode::Kind::null) return;
  if (node->kind != YamlNode::Kind::mapping) {
    refuse(node->place, found_in(*node), where, "a mapping of names");
  }
  for (const auto& [key, value] : node->members) read(key, value);
}

}  // namespace

Pipeline parse_pipeline(const std::string& text, const std::string& file,
                        const std::string& secrets_folder) {
  const YamlNode root = parse_yaml(text, file);
  check_format_version(root, "the pipeline");
  const MappingReader reader(root, "the pipeline",
                             {"drydock", "name", "summary", "recognise", "deployment", "vars",
                              "secrets", "plugins", "probe", "stages", "finally", "on_failure"});
  Pipeline pipeline;
  pipeline.file = file;
  pipeline.name = std::filesystem::path(file).stem().string();
  if (const YamlNode* name = reader.find("name")) pipeline.name = read_text(*name, "'name:'");
  if (const YamlNode* summary = reader.find("summary")) {
    pipeline.summary = read_text(*summary, "'summary:'");
  }
  if (const YamlNode* recognise = reader.find("recognise")) {
    const MappingReader of(*recognise, "'recognise:'", {"image"});
    pipeline.recognise_image = read_text(of.require("image", "image: NAME"), "'image:'");
  }
  if (const YamlNode* deployment = reader.find("deployment")) {
    pipeline.deployment = read_deployment(*deployment);
  }
  for_each_member(reader.find("vars"), "'vars:'", [&](const YamlNode& key, const YamlNode& value) {
    pipeline.vars[read_name(key, "'vars:'")] = read_variable(key.text, value);
  });
  const std::string secrets_from = secrets_folder.empty()
                                       ? std::filesystem::absolute(file).parent_path().string()
                                       : secrets_folder;
  for_each_member(
      reader.find("secrets"), "'secrets:'", [&](const YamlNode& key, const YamlNode& value) {
        pipeline.secrets[read_name(key, "'secrets:'")] = read_secret(key.text, value, secrets_from);
      });
  for_each_member(reader.find("plugins"), "'plugins:'",
                  [&](const YamlNode& key, const YamlNode& value) {
                    pipeline.plugins[key.text] = read_pin(key.text, value);
                  });
  if (const YamlNode* probe = reader.find("probe")) pipeline.probe = read_probe(*probe);
  const YamlNode& stages = reader.require("stages", "'stages:' with a list of stages");
  StageLists lists(file);
  pipeline.stages = lists.stages(stages);
  if (const YamlNode* last = reader.find("finally")) {
    pipeline.finally = lists.finally(*last);
  }
  pipeline.includes = lists.includes();
  if (const YamlNode* on_failure = reader.find("on_failure")) {
    const std::string choice = read_text(*on_failure, "'on_failure:'");
    if (choice != "rollback" && choice != "stop") {
      refuse(on_failure->place, found_in(*on_failure), "'on_failure:'",
             "rollback or stop" + did_you_mean(choice, {"rollback", "stop"}));
    }
    pipeline.rollback_on_failure = choice == "rollback";
  }
  check_stage_ids(pipeline);
  return pipeline;
}

Pipeline load_pipeline(const std::string& file, const std::string& secrets_folder) {
  Pipeline pipeline = parse_pipeline(read_yaml_text(file), file, secrets_folder);
  pipeline.sha256 = sha256_of_file(file);
  return pipeline;
}

}  // namespace drydock
