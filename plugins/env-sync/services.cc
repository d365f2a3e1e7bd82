#include "services.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace drydock::env_sync {
namespace {

std::string host_of(std::string_view text) {
  if (const std::size_t scheme = text.find("://"); scheme != text.npos) {
    text.remove_prefix(scheme + 3);
    text = text.substr(0, text.find_first_of("/?#"));
    if (const std::size_t user = text.rfind('@'); user != text.npos) text.remove_prefix(user + 1);
  }
  return std::string(text.substr(0, text.find(':')));
}

}  // namespace

std::set<std::string> hosts_in(std::string_view value) {
  std::set<std::string> hosts;
  while (!value.empty()) {
    const std::size_t end = value.find_first_of(", \t;");
    const std::string host = host_of(value.substr(0, end));
    if (!host.empty()) hosts.insert(host);
    value.remove_prefix(end == value.npos ? value.size() : end + 1);
  }
  return hosts;
}

std::string service_in(std::string_view value, const std::set<std::string>& services, bool bare) {
  const bool has_address = value.find(':') != value.npos;
  if (!bare && !has_address) return "";
  for (const std::string& host : hosts_in(value)) {
    if (services.count(host) != 0) return host;
  }
  return "";
}

std::set<std::string> services_of_model(const std::string& json) {
  const nlohmann::json model = nlohmann::json::parse(json, nullptr, false);
  if (!model.is_object() || !model.contains("services") || !model["services"].is_object()) {
    throw std::runtime_error(
        "a Compose model is not what `docker compose config --format json` writes");
  }
  std::set<std::string> names;
  for (const auto& [name, service] : model["services"].items()) names.insert(name);
  return names;
}

}  // namespace drydock::env_sync
