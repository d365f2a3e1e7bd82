#include "prepared_rollback.h"

#include <unistd.h>

#include "error.h"
#include "options.h"
#include "recovery.h"
#include "session.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

// `.env` as it is, or nothing of it: what the run made of it may be what has to be put back.
SharedVariables readable_dot_env(DotEnv& dot_env, const std::string& file, Events& events) {
  try {
    return dot_env.read(file);
  } catch (const Error& e) {
    events.emit("warning", {{"text", e.what()}});
    return std::make_shared<const Variables>();
  }
}

// As the run's stages knew it. Where the run died before it was kept, nothing has changed it.
SharedVariables before_the_run(DotEnv& dot_env, const StateDir& state, const RunRecord& run,
                               const SharedVariables& now, Events& events) {
  const std::string kept = state.env_before(run.id);
  return ::access(kept.c_str(), F_OK) == 0 ? readable_dot_env(dot_env, kept, events) : now;
}

}  // namespace

PreparedRollback::PreparedRollback(Workbench& bench, const StateDir& state, const RunRecord& run)
    : bench_(bench),
      state_(state),
      run_(run.id),
      deployment_(deployment_before(run, state)),
      dot_env_(bench.masker()),
      env_(readable_dot_env(dot_env_, deployment_.dir + "/.env", bench.events())),
      env_before_(before_the_run(dot_env_, state, run, env_, bench.events())),
      secrets_(secret_sources_from_json(run.secret_sources), env_before_, bench.masker()),
      plugins_(bench.plugin_folders(), bench.worker()) {
  TemporaryDir::remove_abandoned();  // of the run that was killed: what it planned holds secrets
  show_names(deployment_, bench.masker());
  bench.masker().add_vars(run.vars, deployment_.dir);
  scope_.vars = run.vars;
  scope_.env = env_;
  scope_.before_env = env_before_;
  scope_.secret = [this](const std::string& name) { return secrets_.get(name); };
}

// What one stage keeps secret others may print, or have in a fact, also where that stage has
// nothing to roll back; the run knew them all.
void PreparedRollback::read_secrets(const std::vector<StageRecord>& stages) {
  for (const StageRecord& stage : stages) {
    for (const auto& [pointer, text] : stage.secret_texts.items()) {
      const std::map<std::string, std::string> one{{pointer, text.get<std::string>()}};
      try {
        for (const auto& [at, secret] : resolve_secret_texts(one, scope_)) {
          bench_.masker().add(at.substr(at.rfind('/') + 1), secret);
        }
      } catch (const Error& e) {
        if (stage.final) continue;  // it has nothing to do with a rollback
        bench_.events().emit("warning",
                             {{"text", "what stage '" + stage.key +
                                           "' keeps secret is not masked now: " + e.what()}});
      }
    }
  }
}

Rollback PreparedRollback::rollback(Journal& journal) {
  read_secrets(journal.stages(run_));
  return Rollback(journal, bench_.worker(), bench_.events(), bench_.masker(), state_, deployment_,
                  scope_, [this](const StageRecord& stage) { return plugins_.file_for(stage); });
}

}  // namespace drydock
