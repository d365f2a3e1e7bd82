#include "rollout_controller.h"

#include "json_text.h"

namespace drydock {
namespace {

using nlohmann::json;

json to_vars(const ControllerVars& vars) {
  return {{"rollout", vars.rollout},
          {"wave", vars.wave},
          {"status", vars.status},
          {"environments", vars.environments},
          {"failed", vars.failed}};
}

json to_declaration(const SecretSource& source) {
  json declared = {{"optional", source.optional}};
  switch (source.kind) {
    case SecretSource::Kind::env:
      declared["env"] = source.value.at(0);
      break;
    case SecretSource::Kind::file:
      declared["file"] = source.value.at(0);
      break;
    case SecretSource::Kind::command:
      declared["command"] = source.value;
      break;
    case SecretSource::Kind::dotenv:
      declared["dotenv"] = source.value.at(0);
      break;
  }
  return declared;
}

}  // namespace

std::map<std::string, SecretSource> controller_secrets(const Pipeline& pipeline) {
  std::map<std::string, SecretSource> secrets = pipeline.secrets;
  std::erase_if(secrets,
                [](const auto& each) { return each.second.kind == SecretSource::Kind::dotenv; });
  return secrets;
}

Pipeline controller_pipeline(const StageSpec& stage, const Pipeline& pipeline) {
  Pipeline alone;
  alone.file = stage.place.file;
  alone.name = stage.uses;
  const json vars = to_vars({});
  for (const auto& [name, value] : vars.items()) alone.vars[name].value = value;
  alone.secrets = controller_secrets(pipeline);
  alone.stages.push_back(stage);
  return alone;
}

std::string controller_pipeline_text(const ControllerStage& stage, const ControllerVars& vars,
                                     const std::map<std::string, SecretSource>& secrets) {
  json declared = json::object();
  for (const auto& [name, source] : secrets) declared[name] = to_declaration(source);
  // YAML is a superset of JSON.
  return indented({{"drydock", 1},
                   {"name", vars.rollout},
                   {"vars", to_vars(vars)},
                   {"secrets", declared},
                   {"stages", json::array({{{"uses", stage.uses}, {"with", stage.with}}})}});
}

}  // namespace drydock
