#include "compose_planned_stops.h"

#include <fstream>

namespace drydock::compose {
namespace {

std::string list_of(const Call& call) { return call.planning_dir() + "/stopped"; }

}  // namespace

void plan_to_stop(const Call& call, const std::set<std::string>& services) {
  std::ofstream list(list_of(call), std::ios::app);
  for (const std::string& service : services) list << service << '\n';
}

std::set<std::string> planned_stops(const Call& call) {
  std::ifstream list(list_of(call));
  std::set<std::string> services;
  for (std::string service; std::getline(list, service);) services.insert(service);
  return services;
}

}  // namespace drydock::compose
