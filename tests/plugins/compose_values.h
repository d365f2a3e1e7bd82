// Containers and services as values, for tests of what the Compose stages decide.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compose_types.h"

namespace drydock::compose {

inline Container running(const std::string& id, const std::string& service) {
  Container result;
  result.id = id;
  result.name = "p-" + service + "-1";
  result.service = service;
  result.image = "sample/" + service + ":1";
  result.image_id = "sha256:" + service + "1";
  result.config_hash = "hash1";
  result.state = "running";
  result.restart_policy = "always";
  return result;
}
inline Container with(Container container, const std::string& state, int code = 0) {
  container.state = state;
  container.exit_code = code;
  return container;
}
inline Service service(const std::string& name,
                       std::map<std::string, std::string> depends_on = {}) {
  Service result;
  result.name = name;
  result.image = "sample/" + name + ":1";
  result.depends_on = std::move(depends_on);
  return result;
}
inline Model model_of(const std::vector<Service>& services) {
  Model result;
  for (const Service& one : services) result.services[one.name] = one;
  return result;
}

}  // namespace drydock::compose
