#include "compose_types.h"

namespace drydock::compose {

std::set<std::string> Model::with_dependencies(const std::set<std::string>& named) const {
  std::set<std::string> result;
  std::vector<std::string> open(named.begin(), named.end());
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    const auto found = services.find(name);
    if (found == services.end() || !result.insert(name).second) continue;
    for (const auto& [dependency, condition] : found->second.depends_on) open.push_back(dependency);
  }
  return result;
}

std::set<std::string> Model::one_shot() const {
  std::set<std::string> result;
  for (const auto& [name, service] : services) {
    for (const auto& [dependency, condition] : service.depends_on) {
      if (condition == "service_completed_successfully") result.insert(dependency);
    }
  }
  return result;
}

std::vector<std::set<std::string>> Model::start_order() const {
  std::vector<std::set<std::string>> levels;
  std::set<std::string> placed;
  while (placed.size() < services.size()) {
    std::set<std::string> level;
    for (const auto& [name, service] : services) {
      if (placed.count(name) != 0) continue;
      bool free = true;
      for (const auto& [dependency, condition] : service.depends_on) {
        free = free && (!has(dependency) || placed.count(dependency) != 0);
      }
      if (free) level.insert(name);
    }
    if (level.empty()) break;  // a circle, which Compose refuses
    placed.insert(level.begin(), level.end());
    levels.push_back(std::move(level));
  }
  return levels;
}

const Container* find_id(const std::vector<Container>& containers, const std::string& id) {
  for (const Container& one : containers) {
    if (one.id == id) return &one;
  }
  return nullptr;
}

std::map<std::string, std::vector<Container>> by_service(const std::vector<Container>& containers) {
  std::map<std::string, std::vector<Container>> result;
  for (const Container& container : containers) {
    if (container.serves()) result[container.service].push_back(container);
  }
  return result;
}

}  // namespace drydock::compose
