// docker as pull's unit tests see it: an engine and a registry with scripted answers.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "drydock/testing.hpp"

namespace drydock::testing {

inline std::string words(const Process& process) {
  std::string result;
  for (const std::string& word : process.arguments) result += (result.empty() ? "" : " ") + word;
  return result;
}
inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// An engine that knows images by name, one container for each of `runs`, and a registry that has an
// image for every name.
struct Engine {
  explicit Engine(FakeHost& of) : host(of) {
    host.project = "p";
    host.option("/only", "changed");
    host.on_process([this](const Process& process) { return answer(process); });
  }
  Result answer(const Process& process) {
    const auto& arguments = process.arguments;
    const std::string line = words(process);
    if (has(line, "config --format json")) return {0, model};
    if (has(line, "config --services")) return {0, "api\nworker\ndb\nown\nmailer\n"};
    if (has(line, "docker version")) return {0, "linux/amd64\n"};
    if (has(line, "docker ps")) return {0, ids_of_containers()};
    if (has(line, "docker inspect --type container")) return {0, containers()};
    if (has(line, "docker image inspect")) return inspected(process);
    if (has(line, "docker image ls")) return {0, kept_tags};
    if (has(line, "docker pull")) {
      if (dies_at == arguments.back()) host.die();
      const std::lock_guard<std::mutex> lock(mutex);
      pulled.insert(arguments.back());
      if (!refusal.empty()) return {1, "", refusal};
      images[arguments.back()] = "sha256:new-" + arguments.back();
      return {};
    }
    if (has(line, "docker tag")) images[arguments[3]] = arguments[2];
    if (has(line, "tar ")) return {0, archive};
    if (has(line, "docker load")) images["postgres:15"] = images["sample/api:2"] = loaded;
    return {};
  }
  std::string ids_of_containers() const {
    std::string result;
    for (const auto& [service, image] : runs) result += service + "\n";
    return result;
  }
  std::string containers() const {
    std::string result;
    for (const auto& [service, image] : runs) {
      result += std::string(result.empty() ? "" : ",") + R"({"Id": ")" + service +
                R"(", "State": {"Status": "running"}, "Image": ")" + image.second +
                R"(", "Config": {"Image": ")" + image.first +
                R"(", "Labels": {"com.docker.compose.service": ")" + service +
                R"(", "com.docker.compose.project.working_dir": ")" + host.deployment_dir() +
                "\"}}}";
    }
    return "[" + result + "]";
  }
  Result inspected(const Process& process) const {
    Result result;
    for (std::size_t i = 5; i < process.arguments.size(); ++i) {
      const std::string& name = process.arguments[i];
      const bool is_id = ids.count(name) != 0;
      const auto found = images.find(name);
      if (is_id || found != images.end()) {
        const std::string id = is_id ? name : found->second;
        result.out += id;
        if (process.arguments[4] != "{{.Id}}") result.out += " " + platform + " any@digest-" + id;
        result.out += "\n";
      } else {
        result.code = 1;
        result.err += "Error: No such image: " + name + "\n";
      }
    }
    return result;
  }
  FakeHost& host;
  std::string model = R"({"services": {
    "api": {"image": "sample/api:2"}, "worker": {"image": "sample/api:2"},
    "db": {"image": "postgres:15"}, "own": {"image": "own:1", "build": {"context": "."}}}})";
  // service -> reference and id
  std::map<std::string, std::pair<std::string, std::string>> runs = {
      {"db", {"postgres:15", "sha256:old"}}, {"api", {"sample/api:1", "sha256:api-1"}}};
  std::map<std::string, std::string> images = {{"postgres:15", "sha256:old"}};
  std::set<std::string> ids = {"sha256:old", "sha256:api-1"};
  std::string platform = "linux/amd64", kept_tags, archive, loaded = "sha256:loaded";
  std::mutex mutex;  // pulls come from several threads
  std::set<std::string> pulled;
  std::string refusal, dies_at;
};

}  // namespace drydock::testing
