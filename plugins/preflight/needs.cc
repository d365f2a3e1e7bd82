#include "needs.h"

#include <nlohmann/json.hpp>

namespace drydock::preflight {
namespace {

using nlohmann::json;

bool has(const json& object, const char* key) { return object.is_object() && object.contains(key); }

// Versions as the engine's and Compose's release notes name them.
void needs_of_volume(const std::string& service, const json& volume, std::vector<Need>& needs) {
  if (has(volume, "volume") && has(volume["volume"], "subpath")) {
    needs.push_back({"volume.subpath of service " + service, "26.0"});
  }
  if (has(volume, "type") && volume["type"] == "image") {
    needs.push_back({"the image that service " + service + " mounts", "28.0"});
  }
}

}  // namespace

std::vector<Need> engine_needs(std::string_view resolved_model) {
  std::vector<Need> needs;
  const json model = json::parse(resolved_model, nullptr, false);
  if (!has(model, "services") || !model["services"].is_object()) return needs;
  for (const auto& [name, service] : model["services"].items()) {
    if (has(service, "healthcheck") && has(service["healthcheck"], "start_interval")) {
      needs.push_back({"healthcheck.start_interval of service " + name, "25.0"});
    }
    if (!has(service, "volumes") || !service["volumes"].is_array()) continue;
    for (const json& volume : service["volumes"]) needs_of_volume(name, volume, needs);
  }
  return needs;
}

}  // namespace drydock::preflight
