// A Session and all that it refers to, as long as a command needs them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dot_env.h"
#include "journal.h"
#include "session.h"
#include "temporary_dir.h"
#include "workbench.h"

namespace drydock {

struct SavedPlan;

// A session with everything that it refers to. With Lock::taken nobody else changes the deployment
// from before its `.env` and model are read until this ends.
class PreparedSession {
 public:
  enum class Lock { none, taken };
  // `saved`: its variables and their files, instead of the command line's.
  PreparedSession(Workbench& bench, Pipeline pipeline, Lock lock, const SavedPlan* saved = nullptr);
  // Of a run that goes on: its variables, its project, and `.env` as it was before. The caller
  // holds the lock.
  PreparedSession(Workbench& bench, Pipeline pipeline, const RunRecord& run);
  Session& session() { return *session_; }
  const StateDir& state() const { return state_; }

 private:
  void complete(Workbench& bench, Deployment deployment, nlohmann::json vars,
                nlohmann::json promoted, std::string key, std::vector<Input> inputs);

  Pipeline pipeline_;
  PluginIndex plugins_;
  std::string dir_;
  StateDir state_;
  std::optional<DeploymentLock> lock_;
  TemporaryDir temporary_;
  DotEnv dot_env_;
  SharedVariables env_;  // before the first change
  std::unique_ptr<SecretStore> secrets_;
  std::optional<Session> session_;
};

}  // namespace drydock
