// What a rollout is going to do, as one value: what `rollout plan` shows and a supervisor carries
// out, also a later one that has nothing but its text.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rollout.h"
#include "rollout_commands.h"

namespace drydock {

struct RolloutTarget {
  std::string name;
  std::string host;  // "": this machine
  std::string dir;   // absolute
  bool sudo = false;
  std::string binary = "drydock";  // there; on this machine it is the file that runs now
  nlohmann::json vars = nlohmann::json::object();  // those that are given, not the defaults
  std::map<std::string, SecretSource> secrets;     // read when its run starts
  std::map<std::string, std::set<std::string>> labels;
  // Of vars: a store keeps no more of them than these few digits, by which a value is known again
  // (rollout_set_apart.h).
  std::map<std::string, std::string> vars_apart;
};

// A stage that runs on this machine, beside the environments.
struct ControllerStage {
  std::string uses;
  nlohmann::json with;
  std::chrono::milliseconds timeout{0};  // of all that it does
  bool set_apart = false;                // of `with` a store keeps nothing (rollout_set_apart.h)
};

struct RolloutWave {
  std::string name;
  std::size_t first = 0, count = 0;  // its targets
  unsigned parallel = 1, max_failures = 0, max_unreachable = 0;
  std::chrono::milliseconds soak{0};
  std::optional<ControllerStage> gate;
  bool approve = false;
};

struct RolloutPlan {
  std::string name, file, pipeline, pipeline_file;  // files absolute
  std::string sha256;                               // of `file`
  std::map<std::string, std::string> digests;  // of the pipeline and of what it includes, by file
  std::vector<RolloutTarget> targets;          // in the order of the waves
  std::vector<RolloutWave> waves;
  std::vector<std::string> outside;  // environments that no wave reaches
  SshSpec ssh;
  bool cancel_on_budget = false;
  bool rollback_wave = false;            // a wave that fails is put back
  Drift drift = Drift::refuse;           // what becomes of an environment that has drifted
  bool accept_partial_rollback = false;  // said with --accept-partial-rollback
  std::optional<ControllerStage> notify;
  std::map<std::string, SecretSource> secrets;  // that gates and notifications may refer to
};

// `vars`: of the command line, over each environment's own. Throws Error with the place: waves that
// do not fit, a variable or a secret that the pipeline does not declare, one that has no value.
RolloutPlan plan_rollout(const Rollout& rollout, const Pipeline& pipeline,
                         const std::vector<GivenVar>& vars);

// All environments of the file, in one wave and without their variables: for who only looks at
// them.
RolloutPlan environments_of(const Rollout& rollout);

// The pipeline is what the rollout was begun with, or environments would get different ones: its
// files as they are now, or one that was loaded. Throws Error.
void require_same_pipeline(const RolloutPlan& plan, const RolloutCommands& commands);
void require_same_pipeline(const RolloutPlan& plan, const Pipeline& loaded,
                           const RolloutCommands& commands);

// Gates and notifications against the plugins. Throws Error.
void check_controller_stages(const Rollout& rollout, const Pipeline& pipeline,
                             const PluginIndex& plugins);

// For a store: without the values of what is set apart.
nlohmann::json to_json(const RolloutPlan& plan);
RolloutPlan rollout_plan_from_json(const nlohmann::json& json);

}  // namespace drydock
