#include "rehearsal_model.h"

#include <sys/stat.h>
#include <unistd.h>

#include <initializer_list>
#include <nlohmann/json.hpp>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_patience.h"
#include "file_store.h"
#include "migrator_service.h"

namespace drydock::alembic {
namespace {

using Json = nlohmann::json;

std::string file_of(const Call& call) { return call.private_dir() + "/rehearsal-model.json"; }

std::string text_at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : "";
}

// The name on the engine of one of the model's networks or volumes.
std::string name_of(const Json& model, const char* kind, const std::string& key) {
  const auto all = model.find(kind);
  const std::string name =
      all == model.end() || all->count(key) == 0 ? "" : text_at(all->at(key), "name");
  return name.empty() ? text_at(model, "name") + "_" + key : name;
}

Json external(const std::string& name) { return {{"name", name}, {"external", true}}; }

// Without an address of its own: the one that runs has it.
void join_networks(const Json& model, Json& service, Json& result,
                   std::vector<std::string>& needed) {
  if (!text_at(service, "network_mode").empty()) return;
  Json joined = service.value("networks", Json::object());
  if (joined.is_null() || joined.empty()) joined = {{"default", nullptr}};
  for (auto& [key, settings] : joined.items()) {
    if (settings.is_object()) {
      for (const char* address :
           {"ipv4_address", "ipv6_address", "link_local_ips", "mac_address"}) {
        settings.erase(address);
      }
    }
    needed.push_back(name_of(model, "networks", key));
    result["networks"][key] = external(needed.back());
  }
  service["networks"] = joined;
}

void join_volumes(const Json& model, const Json& service, Json& result, RehearsalModel& needs) {
  for (const Json& one : service.value("volumes", Json::array())) {
    const std::string type = text_at(one, "type"), source = text_at(one, "source");
    if (type == "bind") needs.paths.push_back(source);
    if (type != "volume" || source.empty()) continue;
    needs.volumes.push_back(name_of(model, "volumes", source));
    result["volumes"][source] = external(needs.volumes.back());
  }
  for (const char* kind : {"secrets", "configs"}) {
    const auto all = model.find(kind);
    if (all == model.end()) continue;
    result[kind] = *all;
    for (const Json& one : service.value(kind, Json::array())) {
      const auto definition = all->find(text_at(one, "source"));
      const std::string file = definition == all->end() ? "" : text_at(*definition, "file");
      if (!file.empty()) needs.paths.push_back(file);
    }
  }
}

bool is_there(const Call& call, const std::string& kind, const std::string& name) {
  const Captured asked =
      compose::answer_of(call, {{"docker", kind, "inspect", "--format", "{{.Name}}", name}});
  if (asked.exit.ok()) return true;
  for (const char* none : {"No such", "no such", "not found"}) {
    if (asked.err.find(none) != std::string::npos) return false;
  }
  throw compose::engine_refused(asked, "look for the " + kind + " " + name);
}

Failed not_there(const std::string& what) {
  return Failed(
      "the migrator's container would use the " + what +
      ", which is not there yet, and a rehearsal makes nothing of the new release's; make "
      "it, or rehearse when it is there");
}

}  // namespace

RehearsalModel rehearsal_model(const std::string& text, const std::string& name,
                               const std::string& image) {
  const Json model = Json::parse(text, nullptr, false);
  if (!model.is_object() || !model.contains("services") || !model["services"].contains(name)) {
    throw Failed("cannot find service " + name + " in the model of `docker compose config`");
  }
  Json service = model["services"][name];
  const std::string network = text_at(service, "network_mode");
  if (network.rfind("service:", 0) == 0 || service.contains("volumes_from")) {
    throw Failed("service " + name + " uses " +
                 (service.contains("volumes_from") ? "the volumes" : "the network") +
                 " of another service, which a rehearsal does not start; rehearse with a service "
                 "that has its own");
  }
  for (const char* others : {"depends_on", "links", "profiles", "build", "ports", "env_file"}) {
    service.erase(others);
  }
  if (text_at(service, "image").empty()) service["image"] = image;
  RehearsalModel result;
  Json file = {{"name", text_at(model, "name")}};
  join_networks(model, service, file, result.networks);
  join_volumes(model, service, file, result);
  file["services"] = {{name, service}};
  result.text = file.dump();
  return result;
}

void prepare_rehearsal_model(const Call& call, const std::string& image) {
  if (!call.has("/service")) return;
  const RehearsalModel model =
      rehearsal_model(whole_model_text(call), call.text("/service"), image);
  for (const std::string& one : model.networks) {
    if (!is_there(call, "network", one)) throw not_there("network " + one);
  }
  for (const std::string& one : model.volumes) {
    if (!is_there(call, "volume", one)) throw not_there("volume " + one);
  }
  for (const std::string& one : model.paths) {
    struct stat status {};
    if (::stat(one.c_str(), &status) != 0) throw not_there("path " + one);
  }
  files::write(file_of(call), model.text);
}

Process rehearsal_compose(const Call& call, std::vector<std::string> arguments) {
  return compose::compose_with_model(call, file_of(call), std::move(arguments));
}

void remove_rehearsal_model(const Call& call) { ::unlink(file_of(call).c_str()); }

}  // namespace drydock::alembic
