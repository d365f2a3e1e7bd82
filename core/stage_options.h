// The options of a stage by JSON Pointer (RFC 6901), with the secret ones told apart.
#pragma once

#include <drydock/stage.h>

#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace drydock {

class StageOptions {
 public:
  // Both must live as long as this. Secret members are left out of `options`; a secret item of a
  // list is null there, so that the others keep their place.
  StageOptions(const nlohmann::json& options, const std::map<std::string, std::string>& secrets)
      : options_(options), secrets_(secrets) {}

  drydock_status value(const std::string& pointer, drydock_value& out);
  drydock_status key(const std::string& pointer, std::size_t index, drydock_bytes& out);
  drydock_status secret(const std::string& pointer, drydock_bytes& out) const;

 private:
  const nlohmann::json* find(const std::string& pointer) const;
  // Names of the object's members, the secret ones too, sorted; empty for what is no object.
  const std::vector<std::string>& members(const std::string& pointer);

  const nlohmann::json& options_;
  const std::map<std::string, std::string>& secrets_;
  std::mutex mutex_;  // of what was made on demand, and lives as long as the step
  std::map<std::string, std::vector<std::string>> members_;
  std::map<std::string, std::string> numbers_;  // as JSON writes them
};

}  // namespace drydock
