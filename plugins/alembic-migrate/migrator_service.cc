#include "migrator_service.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "compose_answers.h"
#include "compose_command.h"
#include "compose_patience.h"

namespace drydock::alembic {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : "";
}

std::vector<std::string> texts_of(const Json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return texts;
  for (const Json& entry : *found) {
    if (entry.is_string()) texts.push_back(entry.get<std::string>());
  }
  return texts;
}

// Where volumes, binds, secrets, configurations and file systems in memory are put.
std::vector<std::string> mounted_paths(const Json& service) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path) {
    if (!path.empty()) paths.push_back(path);
  };
  if (!texts_of(service, "volumes_from").empty()) add("/");  // wherever another one has them
  for (const char* kind : {"volumes", "configs", "secrets", "tmpfs"}) {
    const auto entries = service.find(kind);
    if (entries == service.end()) continue;
    for (const Json& entry : *entries) {
      add(entry.is_string() ? entry.get<std::string>().substr(0, entry.get<std::string>().find(':'))
                            : text_of(entry, "target"));
    }
  }
  return paths;
}

}  // namespace

std::string whole_model_text(const Call& call) {
  Process question = call.compose({"config", "--format", "json"});
  const bool as_before = !call.planning_dir().empty() && !call.model_before().empty() &&
                         !compose::reads_planned_files(call, question);
  if (!as_before) return compose::ask_once(call, std::move(question), "resolve the compose files");
  std::ifstream kept(call.model_before(), std::ios::binary);  // the runner has asked the same
  return std::string(std::istreambuf_iterator<char>(kept), {});
}

MigratorService migrator_service(const Call& call) {
  const std::string name = call.text("/service");
  const Json model = Json::parse(whole_model_text(call), nullptr, false);
  if (!model.is_object()) throw Failed("cannot read the model of `docker compose config`");
  const auto services = model.find("services");
  if (services == model.end() || !services->is_object() || services->count(name) == 0) {
    throw BadOptions("there is no service " + name +
                     " in the compose files that the migration will run with");
  }
  const Json& service = services->at(name);
  MigratorService result;
  result.image = text_of(service, "image");
  // What Compose calls an image that it builds.
  if (result.image.empty()) result.image = text_of(model, "name") + "-" + name;
  for (const auto& one : services->items()) result.services.insert(one.key());
  result.folder = text_of(service, "working_dir");
  result.mounted = mounted_paths(service);
  result.command = result.entrypoint = texts_of(service, "entrypoint");
  for (std::string& word : texts_of(service, "command")) result.command.push_back(std::move(word));
  if (const auto variables = service.find("environment"); variables != service.end()) {
    for (const auto& [variable, value] : variables->items()) {
      if (value.is_string()) result.environment[variable] = value.get<std::string>();
    }
  }
  const std::string pulled = text_of(service, "pull_policy");
  result.renewed =
      !pulled.empty() && pulled != "missing" && pulled != "if_not_present" && pulled != "never";
  // Never from an earlier answer: `docker pull` changes it.
  const Captured inspected = compose::answer_of(
      call, {{"docker", "image", "inspect", "--format",
              "{{.Id}} {{.Config.WorkingDir}}\n{{json .Config.Entrypoint}}", result.image}});
  if (!inspected.exit.ok()) {
    if (inspected.err.find("No such image") != std::string::npos) return result;
    throw compose::engine_refused(inspected, "look for the image " + result.image);
  }
  const std::string line = inspected.out.substr(0, inspected.out.find('\n'));
  const std::size_t space = std::min(line.find(' '), line.size());
  result.image_id = line.substr(0, space);
  if (result.folder.empty()) result.folder = line.substr(std::min(space + 1, line.size()));
  if (result.folder.empty()) result.folder = "/";
  const Json entrypoint = Json::parse(inspected.out.substr(line.size()), nullptr, false);
  if (result.entrypoint.empty() && entrypoint.is_array()) {
    for (const Json& word : entrypoint) {
      if (word.is_string()) result.entrypoint.push_back(word.get<std::string>());
    }
  }
  return result;
}

std::string in_front_of_command(const Call& call, const MigratorService& service) {
  if (!call.has("/command") || call.has("/entrypoint")) return "";
  for (const std::string& word : service.entrypoint) {
    const std::string program = word.substr(word.rfind('/') + 1);
    const bool hands_on = program == "tini" || program == "dumb-init" || program == "catatonit" ||
                          program == "docker-init" || program == "env" || program[0] == '-';
    if (!hands_on) return word;
  }
  return "";
}

std::map<std::string, std::string> whole_environment(const Call& call,
                                                     const MigratorService& service) {
  std::map<std::string, std::string> result = service.environment;
  const Json variables = Json::parse(
      compose::ask_docker(
          call,
          {"docker", "image", "inspect", "--format", "{{json .Config.Env}}", service.image_id},
          "look for the variables of the image " + service.image),
      nullptr, false);
  if (!variables.is_array()) return result;  // it has none
  for (const Json& one : variables) {
    if (!one.is_string()) continue;
    const std::string text = one.get<std::string>();
    const std::size_t equals = std::min(text.find('='), text.size());
    // Those of the model come after.
    result.insert({text.substr(0, equals), text.substr(std::min(equals + 1, text.size()))});
  }
  return result;
}

}  // namespace drydock::alembic
