#include "compose_facts.h"

#include <algorithm>
#include <set>

namespace drydock::compose {
namespace {

std::string joined(const std::set<std::string>& values) {
  std::string result;
  for (const std::string& value : values) result += (result.empty() ? "" : " ") + value;
  return result;
}

}  // namespace

void report_running(const Call& call, const std::vector<Container>& containers) {
  for (const auto& [service, its] : by_service(containers)) {
    const auto running =
        std::count_if(its.begin(), its.end(), [](const Container& one) { return one.runs(); });
    std::set<std::string> policies;
    for (const Container& one : its) policies.insert(one.restart_policy);
    call.fact("service " + service + " running", std::to_string(running));
    call.fact("service " + service + " restart policy", joined(policies));
  }
}

void report_containers(const Call& call, const std::vector<Container>& containers) {
  report_running(call, containers);
  for (const auto& [service, its] : by_service(containers)) {
    std::set<std::string> images, hashes, health;
    for (const Container& one : its) {
      images.insert(one.image_id);
      hashes.insert(one.config_hash);
      if (!one.health.empty()) health.insert(one.health);
    }
    call.fact("service " + service + " image", joined(images));
    call.fact("service " + service + " configuration", joined(hashes));
    // A health check may be in its start period at any moment.
    if (!health.empty()) call.informational_fact("service " + service + " health", joined(health));
  }
}

}  // namespace drydock::compose
