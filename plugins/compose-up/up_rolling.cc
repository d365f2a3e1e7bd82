#include "up_rolling.h"

#include <algorithm>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_health.h"
#include "compose_patience.h"
#include "compose_stops.h"
#include "up_mounts.h"
#include "up_notes.h"
#include "up_options.h"

namespace drydock::compose {
namespace {

std::vector<Container> containers_of(const Call& call, const std::string& service) {
  std::vector<Container> result;
  for (Container& one : project_containers(call)) {
    if (one.serves() && one.service == service) result.push_back(std::move(one));
  }
  return result;
}

struct Split {
  std::vector<Container> old, fresh;
};
Split split(const Call& call, const Rolling& rolling) {
  Split result;
  const auto image = image_id(call, rolling.service.image);
  for (Container& one : containers_of(call, rolling.service.name)) {
    const bool right = one.config_hash == rolling.hash && (!image || one.image_id == *image) &&
                       rolling.replaced_anyway.count(one.id) == 0;
    (right ? result.fresh : result.old).push_back(std::move(one));
  }
  return result;
}

void remove(const Call& call, const Container& one) {
  if (one.runs()) stop_noted(call, {one.id});
  remove_containers(call, {one.id});
}

// Compose counts the stopped ones, too, and would start them: they go first. And what an attempt
// before this one left without its being up would not come up now either.
bool clear_away(const Call& call, const Rolling& rolling, const Split& now) {
  bool cleared = false;
  for (const Container& one : now.old) {
    if (one.runs()) continue;
    remove_containers(call, {one.id});
    cleared = true;
  }
  for (const Container& one : now.fresh) {
    const bool ready = judge(one, Expectation{rolling.service.name}).readiness == Readiness::ready;
    if (find_id(rolling.noted, one.id) != nullptr || ready) continue;
    remove(call, one);
    cleared = true;
  }
  return cleared;
}

// Beside those that are there.
void add_one(const Call& call, const Rolling& rolling, std::size_t present) {
  const std::string& name = rolling.service.name;
  run_compose(call,
              call.compose({"up", "--detach", "--pull", "missing", "--no-recreate", "--scale",
                            name + "=" + std::to_string(present + 1), name}),
              "start another container of service " + name);
}

void prove(const Call& call, const Rolling& rolling, const std::vector<Container>& fresh) {
  Expectation expected{rolling.service.name};
  expected.containers = fresh.size();
  for (const Container& one : fresh) expected.ids.insert(one.id);
  wait_until_ready(call, {expected}, {rolling.wait});
  const auto time = proof_time(call, inspect(call, {expected.ids.begin(), expected.ids.end()}));
  if (time.count() > 0) stay_ready(call, {expected}, time);
}

// Whoever sends requests learns of the new container, and leaves the old one.
void drain(const Call& call, const Container& one) {
  std::vector<std::string> command = call.texts("/drain/command");
  if (!command.empty()) {
    note_drained(call, one.id);
    command.insert(command.begin(), {"docker", "exec", one.id});
    ask_docker(call, std::move(command), "drain container " + one.name);
  }
  pause_for(call, call.duration("/drain/wait"));
}

}  // namespace

std::optional<std::string> why_not_rolling(const Service& service, const Model& model,
                                           const Names& shared) {
  if (!service.container_name.empty()) {
    return "it has the fixed container_name " + service.container_name;
  }
  if (!service.host_ports.empty()) {
    return "it publishes the host's port " + service.host_ports.front() +
           ", which only one container can have; let a proxy in front of it have the port";
  }
  if (!service.fixed_addresses.empty()) {
    return "it has the fixed address " + service.fixed_addresses.front();
  }
  if (!service.network_mode.empty() && service.network_mode != "none" &&
      service.network_mode != "bridge") {
    return "it has no network of its own (network_mode: " + service.network_mode + ")";
  }
  for (const auto& [name, other] : model.services) {
    if (other.network_mode == "service:" + service.name) {
      return "service " + name + " shares its network";
    }
  }
  for (const std::string& held : writable(data_mounts(service.mounts))) {
    if (shared.count(held) == 0) {
      return "it alone writes to " + held +
             ", and a second writer can corrupt that; declare it with `shares` if it cannot";
    }
  }
  return std::nullopt;
}

void replace_rolling(const Call& call, const Rolling& rolling) {
  const auto replicas = static_cast<std::size_t>(rolling.service.replicas);
  Split now = split(call, rolling);
  if (clear_away(call, rolling, now)) now = split(call, rolling);
  while (!now.old.empty() || now.fresh.size() < replicas) {
    if (now.fresh.size() < replicas) {
      const std::size_t before = now.fresh.size();
      add_one(call, rolling, now.old.size() + before);
      now = split(call, rolling);
      if (now.fresh.size() <= before) {
        throw Failed("a new container of service " + rolling.service.name +
                     " is not what the compose files ask for; is something else changing them?");
      }
    }
    prove(call, rolling, now.fresh);
    if (now.old.empty()) continue;
    const Container leaves = now.old.back();
    call.info("service " + rolling.service.name + ": a new container is up; drain and remove " +
              leaves.name);
    drain(call, leaves);
    remove(call, leaves);
    now = split(call, rolling);
  }
}

}  // namespace drydock::compose
