#include "up_options.h"

#include <algorithm>

#include "compose_engine.h"

namespace drydock::compose {
namespace {

constexpr std::chrono::seconds proof_without_check{5};

std::string joined(const Names& names, const char* between) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : between) + name;
  return result;
}

Names names_of(const Model& model) {
  Names all;
  for (const auto& [name, service] : model.services) all.insert(name);
  return all;
}

Names listed(const Call& call, const char* option) {
  const std::vector<std::string> names = call.texts(option);
  return {names.begin(), names.end()};
}

}  // namespace

Strategy strategy_of(const Call& call) {
  const std::string text = call.text("/strategy");
  if (text == "rolling") return Strategy::rolling;
  return text == "one-by-one" ? Strategy::one_by_one : Strategy::recreate;
}

Names scope_of(const Call& call, const Model& model) {
  const Names all = names_of(model);
  if (call.size("/services") == 0) return all;
  Names chosen;
  for (std::size_t i = 0; i < call.size("/services"); ++i) {
    Names present, asked;
    for (const std::string& name : call.texts("/services/" + std::to_string(i))) {
      asked.insert(name);
      if (model.has(name)) present.insert(name);
    }
    if (present.empty()) {
      throw BadOptions("compose-up: services: there is no active service " + joined(asked, " or ") +
                       " in the compose files of " + call.deployment_dir() + "; there are " +
                       joined(all, ", "));
    }
    chosen.merge(present);
  }
  return model.with_dependencies(chosen);
}

Names one_shots_of(const Call& call, const Model& model) {
  Names result = model.one_shot();
  result.merge(listed(call, "/one_shot"));
  return result;
}

std::vector<Expectation> expected_of(const Call& call, const Model& model, const Names& services) {
  std::vector<Expectation> result = expectations(model, services);
  const Names one_shot = one_shots_of(call, model);
  const Starts ran_before = ran_before_the_run(call);
  for (Expectation& one : result) {
    one.must_finish = one_shot.count(one.service) != 0;
    one.ran_before = ran_before;
  }
  return result;
}

Leavers leavers_of(const Call& call, const Model& model, const std::vector<Container>& existing) {
  const bool chosen = call.has("/retire");
  const Names may_go = listed(call, "/retire");
  for (const std::string& name : may_go) {
    if (model.has(name)) {
      throw BadOptions("compose-up: retire: service " + name +
                       " is active in the compose files of " + call.deployment_dir() +
                       "; take it out of one of them");
    }
  }
  Leavers result;
  // Which services inactive profiles have is asked only when it matters.
  const std::vector<Container> inactive = to_retire(existing, names_of(model));
  if (inactive.empty()) return result;
  const Names all = all_service_names(call);
  for (const Container& one : inactive) {
    const bool left_the_files = all.count(one.service) == 0;
    const bool named = may_go.count(one.service) != 0;
    if (named || (left_the_files && !chosen)) {
      result.retired.push_back(one);
    } else if (left_the_files) {
      result.left_alone.push_back(one);
    }
  }
  return result;
}

void refuse_namesakes(const Call& call, const Names& scope, const std::vector<Container>& others) {
  const std::string here = real_path(call.deployment_dir());
  for (const Container& one : others) {
    if (one.project.empty() || one.project != call.project() || !one.serves()) continue;
    if (scope.count(one.service) == 0 || real_path(one.working_dir) == here) continue;
    throw Failed("compose-up: Compose would replace container " + one.name + " of " +
                 one.working_dir + ", which has the same project name " + one.project +
                 " and a service " + one.service + ", too; give one of the two another name " +
                 "(COMPOSE_PROJECT_NAME, and `name:` of its volumes as they are now)");
  }
}

Names declared_shares(const Call& call) {
  Names shares;
  for (const std::string& share : call.texts("/shares")) {
    const bool is_path = share.find('/') != std::string::npos;
    shares.insert(is_path ? real_path(call.deployment(share)) : share);
  }
  return shares;
}

std::chrono::milliseconds proof_time(const Call& call, const std::vector<Container>& containers) {
  const auto runs = [](const Container& one) { return one.state == "running"; };
  if (std::none_of(containers.begin(), containers.end(), runs)) {
    return std::chrono::milliseconds(0);
  }
  if (call.has("/healthy_for")) return call.duration("/healthy_for");
  const bool unchecked =
      std::any_of(containers.begin(), containers.end(),
                  [&](const Container& one) { return runs(one) && one.health.empty(); });
  return unchecked ? proof_without_check : std::chrono::milliseconds(0);
}

}  // namespace drydock::compose
