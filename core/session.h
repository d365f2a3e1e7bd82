// What one command has put together before it plans or runs: the pipeline, the plugins, the
// deployment, and the world behind small interfaces. Everything here outlives the planner, the
// runner and the rollback.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cancellation.h"
#include "deployment.h"
#include "dot_env.h"
#include "events.h"
#include "expression.h"
#include "journal.h"
#include "pipeline.h"
#include "plugin_index.h"
#include "secrets.h"
#include "state_dir.h"
#include "worker.h"

namespace drydock {

struct Session {
  const Pipeline& pipeline;
  const PluginIndex& plugins;
  std::vector<std::string> plugin_folders;
  Deployment deployment;
  nlohmann::json vars;
  nlohmann::json promoted;    // by earlier waves of a rollout: stage id -> name -> text
  std::string key;            // of the run, --key
  std::vector<Input> inputs;  // the pipeline's file, and what the command line names
  std::string planned_dir;    // private, mirrors the deployment while plans are made
  std::string planning_dir;   // private, shared by all observe and plan of one planning

  const StateDir& state;
  Worker& worker;
  // One for another thread, which that cancellation cancels.
  std::function<std::unique_ptr<Worker>(const Cancellation&)> new_worker;
  Events& events;
  Masker& masker;
  SecretStore& secrets;
  Cancellation& cancellation;

  DotEnv& dot_env;
  SharedVariables env_before;  // the deployment's .env before the first change
  // What stages put out so far, by stage id. Lives on from the plan into the run.
  std::map<std::string, std::map<std::string, Value>> outputs;
};

// What expressions mean now: `env` is evaluated from `env_file`.
Scope scope_of(Session& session, const std::string& env_file, const nlohmann::json& run);

// Tells the masker what everybody may read although a secret may be part of it.
void show_names(const Deployment& deployment, Masker& masker);

}  // namespace drydock
