#include "session.h"

namespace drydock {

void show_names(const Deployment& deployment, Masker& masker) {
  if (!deployment.model_before.empty()) masker.show_names(names_in_model(deployment.model_before));
}

Scope scope_of(Session& session, const std::string& env_file, const nlohmann::json& run) {
  Scope scope;
  scope.vars = session.vars;
  scope.secret = [&session](const std::string& name) { return session.secrets.get(name); };
  scope.env = session.dot_env.read(env_file);
  scope.before_env = session.env_before;
  scope.run = run;
  scope.promoted = session.promoted;
  scope.outputs = session.outputs;
  return scope;
}

}  // namespace drydock
