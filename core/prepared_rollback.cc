#include "prepared_rollback.h"

#include "error.h"
#include "recovery.h"
#include "session.h"

namespace drydock {
namespace {

// `.env` as it is, or nothing of it: what the run made of it may be what has to be put back.
std::map<std::string, std::string> readable_dot_env(const std::string& dir, Events& events) {
  try {
    return evaluate_dot_env(dir + "/.env");
  } catch (const Error& e) {
    events.emit("warning", {{"text", e.what()}});
    return {};
  }
}

}  // namespace

PreparedRollback::PreparedRollback(Workbench& bench, const StateDir& state, const RunRecord& run)
    : bench_(bench),
      state_(state),
      deployment_(deployment_before(run, state)),
      env_(readable_dot_env(deployment_.dir, bench.events())),
      secrets_(secret_sources_from_json(run.secret_sources), env_, bench.masker()),
      plugins_(bench.plugin_folders(), bench.worker()) {
  mask_env(env_, bench.masker());
  scope_.vars = run.vars;
  scope_.env = scope_.before_env = env_;
  scope_.secret = [this](const std::string& name) { return secrets_.get(name); };
}

Rollback PreparedRollback::rollback(Journal& journal) {
  return Rollback(journal, bench_.worker(), bench_.events(), bench_.masker(), state_, deployment_,
                  scope_, [this](const StageRecord& stage) { return plugins_.file_for(stage); });
}

}  // namespace drydock
