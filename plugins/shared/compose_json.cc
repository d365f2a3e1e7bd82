#include "compose_json.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "drydock/stage.hpp"

namespace drydock::compose {
namespace {

using Json = nlohmann::json;

const Json& nothing() {
  static const Json null;
  return null;
}

// The member, or null: Docker leaves out or nulls what is empty.
const Json& at(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : nothing();
}
std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}
int number(const Json& value, int otherwise = 0) {
  return value.is_number() ? value.get<int>() : otherwise;
}
bool truth(const Json& value) { return value.is_boolean() && value.get<bool>(); }

// Reads `source` through `read`, so that text of a wrong shape is one sentence.
template <class Read>
auto parse(std::string_view source, const char* what, Read read) {
  try {
    return read(Json::parse(source));
  } catch (const Json::exception& e) {
    throw Failed(std::string("cannot read ") + what + ": " + e.what());
  }
}

std::string restart_policy(const std::string& name, int retries) {
  if (name.empty()) return "no";
  return name == "on-failure" && retries > 0 ? name + ":" + std::to_string(retries) : name;
}

bool has_health_check(const Json& check) {
  if (!check.is_object() || truth(at(check, "disable"))) return false;
  const Json& test = at(check, "test");
  return !(test.is_array() && !test.empty() && test[0] == "NONE");
}

Container container_of(const Json& json) {
  const Json& config = at(json, "Config");
  const Json& state = at(json, "State");
  const Json& labels = at(config, "Labels");
  const Json& policy = at(at(json, "HostConfig"), "RestartPolicy");
  const auto label = [&](const char* name) {
    return text(at(labels, (std::string("com.docker.compose.") + name).c_str()));
  };
  Container result;
  result.id = json.at("Id").get<std::string>();
  result.name = text(at(json, "Name"));
  if (!result.name.empty() && result.name[0] == '/') result.name.erase(0, 1);
  result.service = label("service");
  result.project = label("project");
  result.working_dir = label("project.working_dir");
  const std::string count = label("container-number");
  if (!count.empty()) result.number = std::atoi(count.c_str());
  result.one_off = label("oneoff") == "True";
  result.image = text(at(config, "Image"));
  result.image_id = text(at(json, "Image"));
  result.config_hash = label("config-hash");
  result.compose_version = label("version");
  result.state = text(at(state, "Status"));
  result.health = text(at(at(state, "Health"), "Status"));
  if (result.health == "none") result.health.clear();
  result.started_at = text(at(state, "StartedAt"));
  result.finished_at = text(at(state, "FinishedAt"));
  result.exit_code = number(at(state, "ExitCode"));
  result.out_of_memory = truth(at(state, "OOMKilled"));
  result.restarts = number(at(json, "RestartCount"));
  result.restart_policy =
      restart_policy(text(at(policy, "Name")), number(at(policy, "MaximumRetryCount")));
  for (const Json& entry : at(config, "Env")) {
    const std::string variable = text(entry);
    const std::size_t equals = variable.find('=');
    if (equals != std::string::npos) {
      result.environment[variable.substr(0, equals)] = variable.substr(equals + 1);
    }
  }
  for (const Json& entry : at(json, "Mounts")) {
    Mount mount;
    mount.type = text(at(entry, "Type"));
    mount.volume = mount.type == "volume" ? text(at(entry, "Name")) : "";
    mount.source = text(at(entry, "Source"));
    mount.target = text(at(entry, "Destination"));
    mount.writable = truth(at(entry, "RW"));
    result.mounts.push_back(std::move(mount));
  }
  return result;
}

// `restart:` wins over `deploy.restart_policy`, as it does when Compose creates the container.
std::string restart_policy_of(const Json& service) {
  const std::string restart = text(at(service, "restart"));
  const Json& deployed = at(at(service, "deploy"), "restart_policy");
  if (!restart.empty() || !deployed.is_object()) return restart.empty() ? "no" : restart;
  const std::string condition = text(at(deployed, "condition"));
  if (condition == "none") return "no";
  if (condition == "on-failure") {
    return restart_policy("on-failure", number(at(deployed, "max_attempts")));
  }
  return condition == "unless-stopped" ? condition : "always";
}

// Of the ports on the host those that only one container can have.
std::vector<std::string> host_ports_of(const Json& ports) {
  std::vector<std::string> result;
  for (const Json& port : ports) {
    const std::string published = text(at(port, "published"));
    if (published.empty() || published == "0" || published.find('-') != std::string::npos) continue;
    const std::string address = text(at(port, "host_ip"));
    result.push_back((address.empty() ? "" : address + ":") + published);
  }
  return result;
}

std::vector<std::string> fixed_addresses_of(const Json& networks) {
  std::vector<std::string> result;
  for (const auto& [name, how] : networks.items()) {
    for (const char* kind : {"ipv4_address", "ipv6_address"}) {
      if (const std::string address = text(at(how, kind)); !address.empty()) {
        result.push_back(address);
      }
    }
  }
  return result;
}

// The files on the host that it gets as `configs:` or `secrets:`.
void add_files(const Json& used, const Json& declared, std::vector<std::string>& files) {
  for (const Json& entry : used) {
    const std::string file = text(at(at(declared, text(at(entry, "source")).c_str()), "file"));
    if (!file.empty()) files.push_back(file);
  }
}

Service service_of(const std::string& name, const Json& json, const Json& model) {
  const Json& volumes = at(model, "volumes");
  Service result;
  result.name = name;
  result.image = text(at(json, "image"));
  result.platform = text(at(json, "platform"));
  result.built = at(json, "build").is_object();
  const std::string pull_policy = text(at(json, "pull_policy"));
  result.never_pulled = pull_policy == "never" || pull_policy == "build";
  result.health_check = has_health_check(at(json, "healthcheck"));
  result.replicas = number(at(at(json, "deploy"), "replicas"), number(at(json, "scale"), 1));
  result.restart_policy = restart_policy_of(json);
  for (const Json& profile : at(json, "profiles")) result.profiles.push_back(text(profile));
  for (const auto& [dependency, how] : at(json, "depends_on").items()) {
    result.depends_on[dependency] = text(at(how, "condition"));
  }
  for (const Json& entry : at(json, "volumes")) {
    Mount mount;
    mount.type = text(at(entry, "type"));
    mount.source = text(at(entry, "source"));
    mount.target = text(at(entry, "target"));
    mount.writable = !truth(at(entry, "read_only"));
    if (mount.type == "volume" && !mount.source.empty()) {
      const std::string on_engine = text(at(at(volumes, mount.source.c_str()), "name"));
      mount.volume = on_engine.empty() ? mount.source : on_engine;
    }
    result.mounts.push_back(std::move(mount));
  }
  add_files(at(json, "configs"), at(model, "configs"), result.files);
  add_files(at(json, "secrets"), at(model, "secrets"), result.files);
  result.container_name = text(at(json, "container_name"));
  result.host_ports = host_ports_of(at(json, "ports"));
  result.fixed_addresses = fixed_addresses_of(at(json, "networks"));
  result.network_mode = text(at(json, "network_mode"));
  for (const auto& [setting, value] : json.items()) {
    result.settings[setting] = std::hash<std::string>{}(value.dump());
  }
  return result;
}

}  // namespace

std::vector<Container> parse_containers(std::string_view inspected) {
  return parse(inspected, "the answer of `docker inspect`", [](const Json& json) {
    std::vector<Container> result;
    for (const Json& entry : json) result.push_back(container_of(entry));
    return result;
  });
}

Model parse_model(std::string_view resolved) {
  return parse(resolved, "the model of `docker compose config`", [](const Json& json) {
    Model result;
    result.project = text(at(json, "name"));
    result.fingerprint = std::hash<std::string>{}(json.dump());
    for (const auto& [name, service] : at(json, "services").items()) {
      result.services[name] = service_of(name, service, json);
    }
    return result;
  });
}

Model read_model(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw Failed("cannot read the kept compose model " + file);
  return parse_model(std::string(std::istreambuf_iterator<char>(stream), {}));
}

std::string to_note(const std::vector<Container>& containers) {
  Json result = Json::array();
  for (const Container& container : containers) {
    result.push_back({{"id", container.id},
                      {"name", container.name},
                      {"service", container.service},
                      {"number", container.number},
                      {"one_off", container.one_off},
                      {"image", container.image},
                      {"image_id", container.image_id},
                      {"config_hash", container.config_hash},
                      {"state", container.state},
                      {"health", container.health},
                      {"restart_policy", container.restart_policy}});
  }
  return result.dump();
}

std::vector<Container> from_note(std::string_view note) {
  return parse(note, "the noted containers", [](const Json& json) {
    std::vector<Container> result;
    for (const Json& entry : json) {
      Container container;
      container.id = entry.at("id").get<std::string>();
      container.name = entry.at("name").get<std::string>();
      container.service = entry.at("service").get<std::string>();
      container.number = entry.at("number").get<int>();
      container.one_off = entry.at("one_off").get<bool>();
      container.image = entry.at("image").get<std::string>();
      container.image_id = entry.at("image_id").get<std::string>();
      container.config_hash = entry.at("config_hash").get<std::string>();
      container.state = entry.at("state").get<std::string>();
      container.health = entry.at("health").get<std::string>();
      container.restart_policy = entry.at("restart_policy").get<std::string>();
      result.push_back(std::move(container));
    }
    return result;
  });
}

}  // namespace drydock::compose
