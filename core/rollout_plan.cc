#include "rollout_plan.h"

#include <filesystem>
#include <utility>

#include "error.h"
#include "files.h"
#include "rollout_controller.h"
#include "rollout_waves.h"
#include "secrets.h"
#include "text.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;

std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

// Without links, as far as it is there.
fs::path canonical(const std::string& dir) {
  std::error_code error;
  const fs::path found = fs::weakly_canonical(dir, error);
  return error ? fs::path(dir).lexically_normal() : found;
}

void check_secrets(const Environment& environment, const Pipeline& pipeline) {
  for (const auto& [name, source] : environment.secrets) {
    if (pipeline.secrets.count(name) != 0) continue;
    std::vector<std::string> names;
    for (const auto& [declared, of] : pipeline.secrets) names.push_back(declared);
    refuse(source.place, "the secret '" + name + "', which " + pipeline.file + " does not declare,",
           "the environment '" + environment.name + "'",
           (names.empty() ? "none" : join(names, ", ")) + did_you_mean(name, names));
  }
}

RolloutTarget place_of(const Environment& environment, const Rollout& rollout) {
  RolloutTarget target;
  target.name = environment.name;
  target.host = environment.host;
  target.dir = environment.host.empty()
                   ? (fs::path(rollout.folder) / environment.dir).lexically_normal().string()
                   : environment.dir;
  target.sudo = environment.sudo;
  target.binary = environment.binary;
  target.labels = environment.labels;
  return target;
}

RolloutTarget target_of(const Environment& environment, const Rollout& rollout,
                        const Pipeline& pipeline, const std::vector<GivenVar>& vars) {
  check_secrets(environment, pipeline);
  RolloutTarget target = place_of(environment, rollout);
  target.secrets = environment.secrets;
  std::vector<GivenVar> given = environment.vars;
  given.insert(given.end(), vars.begin(), vars.end());
  const json values = resolve_vars(
      pipeline, given,
      " for the environment '" + environment.name + "' (" + environment.place.text() + ")");
  for (const GivenVar& each : given) target.vars[each.name] = values.at(each.name);
  return target;
}

// Of the environments that waves reach: a folder belongs to one of them, since two runs there would
// be in each other's way.
class Folders {
 public:
  void add(const Environment& environment, const RolloutTarget& target) {
    const fs::path normal =
        target.host.empty() ? canonical(target.dir) : fs::path(target.dir).lexically_normal();
    const std::string dir = (normal.has_filename() ? normal : normal.parent_path()).string();
    const auto [first, is_new] = first_.try_emplace({target.host, dir}, &environment);
    if (is_new) return;
    refuse(environment.place, "the folder " + dir + " a second time",
           "the environment '" + environment.name + "'",
           "one of its own; '" + first->second->name + "' at " + first->second->place.text() +
               " has this one");
  }

 private:
  std::map<std::pair<std::string, std::string>, const Environment*> first_;  // by host and folder
};

std::optional<ControllerStage> controller_stage(const std::optional<StageSpec>& stage,
                                                milliseconds timeout) {
  if (!stage) return std::nullopt;
  return ControllerStage{stage->uses, stage->with, stage->timeout.value_or(timeout)};
}

json kept_vars(const RolloutTarget& target) {
  json kept = target.vars;
  for (const auto& [name, digits] : target.vars_apart) kept.erase(name);
  return kept;
}

json stage_json(const std::optional<ControllerStage>& stage) {
  if (!stage) return nullptr;
  json kept = {{"uses", stage->uses}, {"timeout_ms", stage->timeout.count()}};
  if (stage->set_apart) {
    kept["set_apart"] = true;
  } else {
    kept["with"] = stage->with;
  }
  return kept;
}

std::optional<ControllerStage> stage_from(const json& stage) {
  if (stage.is_null()) return std::nullopt;
  return ControllerStage{stage.at("uses"), stage.value("with", json()),
                         milliseconds(stage.at("timeout_ms").get<std::int64_t>()),
                         stage.contains("set_apart")};
}

std::map<std::string, std::string> digests_of(const Pipeline& pipeline) {
  std::map<std::string, std::string> digests = {{absolute(pipeline.file), pipeline.sha256}};
  for (const IncludedFile& each : pipeline.includes) digests[absolute(each.file)] = each.sha256;
  return digests;
}

[[noreturn]] void refuse_another(const RolloutPlan& plan, const std::string& file,
                                 const RolloutCommands& commands) {
  throw Error(file + " is another one than when the rollout '" + plan.name +
              "' was begun; put it back, or begin a new rollout with `" +
              commands.of("run", "--abandon") + "`");
}

// It stands alone: what a stage says of others would be ignored without a word.
void check_alone(const StageSpec& stage, const std::string& key, const Pipeline& pipeline,
                 const PluginIndex& plugins) {
  const bool plain = stage.when.empty() && !stage.rollback_timeout && stage.retry.times == 0 &&
                     !stage.continue_on_failure && stage.memory_limit == 0 &&
                     stage.id_place.line == 0;
  if (!plain) {
    refuse(stage.place, "more than 'uses:', 'with:' and 'timeout:'", key,
           "these, or 'exec:' and 'timeout:'");
  }
  check_pipeline(controller_pipeline(stage, pipeline), plugins);
}

}  // namespace

RolloutPlan plan_rollout(const Rollout& rollout, const Pipeline& pipeline,
                         const std::vector<GivenVar>& vars) {
  RolloutPlan plan;
  plan.name = rollout.name;
  plan.file = absolute(rollout.file);
  plan.sha256 = rollout.sha256;
  plan.pipeline = pipeline.name;
  plan.pipeline_file = absolute(pipeline.file);
  plan.digests = digests_of(pipeline);
  plan.ssh = rollout.ssh;
  plan.cancel_on_budget = rollout.cancel_on_budget;
  plan.rollback_wave = rollout.rollback_wave;
  plan.drift = rollout.drift;
  plan.notify = controller_stage(rollout.notify, notification_timeout);
  plan.secrets = controller_secrets(pipeline);
  const std::vector<WaveMembers> members = members_of_waves(rollout);
  plan.outside = outside_of_waves(rollout, members);
  Folders folders;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const WaveSpec& spec = rollout.waves[i];
    plan.waves.push_back({spec.name, plan.targets.size(), members[i].environments.size(),
                          members[i].parallel, members[i].max_failures, members[i].max_unreachable,
                          spec.soak, controller_stage(spec.gate, gate_timeout), spec.approve});
    for (const std::size_t at : members[i].environments) {
      plan.targets.push_back(target_of(rollout.environments[at], rollout, pipeline, vars));
      folders.add(rollout.environments[at], plan.targets.back());
    }
  }
  return plan;
}

RolloutPlan environments_of(const Rollout& rollout) {
  RolloutPlan plan;
  plan.name = rollout.name;
  plan.file = absolute(rollout.file);
  plan.ssh = rollout.ssh;
  for (const Environment& each : rollout.environments) {
    plan.targets.push_back(place_of(each, rollout));
  }
  return plan;
}

void require_same_pipeline(const RolloutPlan& plan, const RolloutCommands& commands) {
  for (const auto& [file, digest] : plan.digests) {
    if (!fs::exists(file) || sha256_of_file(file) != digest) refuse_another(plan, file, commands);
  }
}

void require_same_pipeline(const RolloutPlan& plan, const Pipeline& loaded,
                           const RolloutCommands& commands) {
  const std::map<std::string, std::string> now = digests_of(loaded);
  for (const auto& [file, digest] : plan.digests) {
    if (now.count(file) == 0 || now.at(file) != digest) refuse_another(plan, file, commands);
  }
  if (now.size() != plan.digests.size()) refuse_another(plan, plan.pipeline_file, commands);
}

void check_controller_stages(const Rollout& rollout, const Pipeline& pipeline,
                             const PluginIndex& plugins) {
  for (const WaveSpec& wave : rollout.waves) {
    if (wave.gate) check_alone(*wave.gate, "'gate:'", pipeline, plugins);
  }
  if (rollout.notify) check_alone(*rollout.notify, "'notify:'", pipeline, plugins);
}

json to_json(const RolloutPlan& plan) {
  json targets = json::array(), waves = json::array();
  for (const RolloutTarget& each : plan.targets) {
    targets.push_back({{"name", each.name},
                       {"host", each.host},
                       {"dir", each.dir},
                       {"sudo", each.sudo},
                       {"binary", each.binary},
                       {"vars", kept_vars(each)},
                       {"vars_apart", each.vars_apart},
                       {"secrets", to_json(each.secrets)},
                       {"labels", each.labels}});
  }
  for (const RolloutWave& each : plan.waves) {
    waves.push_back({{"name", each.name},
                     {"first", each.first},
                     {"count", each.count},
                     {"parallel", each.parallel},
                     {"max_failures", each.max_failures},
                     {"max_unreachable", each.max_unreachable},
                     {"soak_ms", each.soak.count()},
                     {"gate", stage_json(each.gate)},
                     {"approve", each.approve}});
  }
  return {{"name", plan.name},
          {"file", plan.file},
          {"sha256", plan.sha256},
          {"pipeline", plan.pipeline},
          {"pipeline_file", plan.pipeline_file},
          {"digests", plan.digests},
          {"targets", targets},
          {"waves", waves},
          {"outside", plan.outside},
          {"cancel_on_budget", plan.cancel_on_budget},
          {"rollback_wave", plan.rollback_wave},
          {"drift", name_of(plan.drift)},
          {"accept_partial_rollback", plan.accept_partial_rollback},
          {"ssh",
           {{"command", plan.ssh.command},
            {"connect_timeout_ms", plan.ssh.connect_timeout.count()},
            {"reconnect_ms", plan.ssh.reconnect.count()}}},
          {"notify", stage_json(plan.notify)},
          {"secrets", to_json(plan.secrets)}};
}

RolloutPlan rollout_plan_from_json(const json& from) {
  RolloutPlan plan;
  from.at("name").get_to(plan.name);
  from.at("file").get_to(plan.file);
  plan.sha256 = from.value("sha256", "");
  from.at("pipeline").get_to(plan.pipeline);
  from.at("pipeline_file").get_to(plan.pipeline_file);
  from.at("digests").get_to(plan.digests);
  from.at("outside").get_to(plan.outside);
  from.at("cancel_on_budget").get_to(plan.cancel_on_budget);
  from.at("rollback_wave").get_to(plan.rollback_wave);
  plan.drift = drift_named(from.at("drift"));
  from.at("accept_partial_rollback").get_to(plan.accept_partial_rollback);
  const json& ssh = from.at("ssh");
  ssh.at("command").get_to(plan.ssh.command);
  plan.ssh.connect_timeout = milliseconds(ssh.at("connect_timeout_ms").get<std::int64_t>());
  plan.ssh.reconnect = milliseconds(ssh.at("reconnect_ms").get<std::int64_t>());
  plan.notify = stage_from(from.at("notify"));
  plan.secrets = secret_sources_from_json(from.at("secrets"));
  for (const json& each : from.at("targets")) {
    plan.targets.push_back({each.at("name"), each.at("host"), each.at("dir"), each.at("sudo"),
                            each.at("binary"), each.at("vars"),
                            secret_sources_from_json(each.at("secrets")), each.at("labels"),
                            each.value("vars_apart", std::map<std::string, std::string>())});
  }
  for (const json& each : from.at("waves")) {
    plan.waves.push_back({each.at("name"), each.at("first"), each.at("count"), each.at("parallel"),
                          each.at("max_failures"), each.at("max_unreachable"),
                          milliseconds(each.at("soak_ms").get<std::int64_t>()),
                          stage_from(each.at("gate")), each.at("approve")});
  }
  return plan;
}

}  // namespace drydock
