#include "services.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "variable_names.h"

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

// A URL or `host:port`, and not the like of `image:tag`, `prefix:` and `volume:/path`.
bool is_address(std::string_view text) {
  if (text.find("://") != text.npos) return true;
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return false;
  std::string_view port = text.substr(colon + 1);
  port = port.substr(0, port.find('/'));
  return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
}

std::set<std::string> hosts_of(std::string_view value, bool bare) {
  std::set<std::string> hosts;
  while (!value.empty()) {
    const std::size_t end = value.find_first_of(", \t;");
    const std::string_view member = value.substr(0, end);
    const std::string host = bare || is_address(member) ? host_of(member) : "";
    if (!host.empty()) hosts.insert(host);
    value.remove_prefix(end == value.npos ? value.size() : end + 1);
  }
  return hosts;
}

}  // namespace

std::set<std::string> hosts_in(std::string_view value) { return hosts_of(value, true); }

std::string service_in(std::string_view value, const std::set<std::string>& services, bool bare) {
  for (const std::string& host : hosts_of(value, bare)) {
    if (services.count(host) != 0) return host;
  }
  return "";
}

std::string service_named(std::string_view name, std::string_view value,
                          const std::set<std::string>& services) {
  const bool host = names_a_host(name);
  const bool image = names_an_image(name) && !host && value.find("://") == value.npos;
  return image ? "" : service_in(value, services, host);
}

std::string no_service_any_more(std::string_view value, std::string_view of_template,
                                const std::set<std::string>& services) {
  if (service_in(of_template, services, true).empty()) return "";
  for (const std::string& name : hosts_in(value)) {
    const bool of_a_network = name.find('.') == name.npos && name != "localhost";
    if (of_a_network && services.count(name) == 0) return name;
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
