// What undoing a run needs in another process than its own, all of it from the journal: the
// pipeline's file may be gone by then.
#pragma once

#include <map>
#include <string>

#include "rollback.h"
#include "rollback_plugin.h"
#include "secrets.h"
#include "workbench.h"

namespace drydock {

class PreparedRollback {
 public:
  PreparedRollback(Workbench& bench, const StateDir& state, const RunRecord& run);
  PreparedRollback(const PreparedRollback&) = delete;
  PreparedRollback& operator=(const PreparedRollback&) = delete;

  const Deployment& deployment() const { return deployment_; }
  Rollback rollback(Journal& journal);

 private:
  void read_secrets(const std::vector<StageRecord>& stages);

  Workbench& bench_;
  const StateDir& state_;
  std::uint64_t run_;
  Deployment deployment_;
  DotEnv dot_env_;
  SharedVariables env_, env_before_;
  SecretStore secrets_;
  RollbackPlugins plugins_;
  Scope scope_;
};

}  // namespace drydock
