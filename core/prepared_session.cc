#include "prepared_session.h"

#include <algorithm>
#include <filesystem>

#include "compose_project.h"
#include "process_worker.h"
#include "recovery.h"
#include "saved_plan.h"
#include "session.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

// Of a variable that is given twice the command line's counts.
std::vector<GivenVar> given_vars(Workbench& bench) {
  std::vector<GivenVar> given = bench.given().vars;
  for (GivenVar& each : read_vars(bench.arguments().vars_files, bench.arguments().vars)) {
    given.push_back(std::move(each));
  }
  return given;
}

}  // namespace

PreparedSession::PreparedSession(Workbench& bench, Pipeline pipeline, Lock lock,
                                 const SavedPlan* saved)
    : pipeline_(std::move(pipeline)),
      plugins_(bench.plugins(pipeline_)),
      dir_(deployment_dir(bench.arguments().directory, pipeline_.deployment)),
      state_(state_of(bench.arguments(), dir_)),
      dot_env_(bench.masker()) {
  check_pipeline(pipeline_, plugins_);
  const Arguments& arguments = bench.arguments();
  nlohmann::json vars = saved != nullptr ? saved->vars : resolve_vars(pipeline_, given_vars(bench));
  if (lock == Lock::taken) {
    state_.create();
    lock_.emplace(state_, bench.patience());
  }

  Deployment deployment;
  deployment.dir = dir_;
  deployment.state_dir = state_.path();
  env_ = dot_env_.read(dir_ + "/.env");
  deployment.compose = find_compose_project(pipeline_.deployment, dir_, *env_);
  deployment.snapshot_dir = state_.newest_snapshot();
  if (!deployment.compose.files.empty()) {
    const std::string model = temporary_.path() + "/model-before.json";
    if (const auto problem = resolve_compose_model(deployment.compose, dir_, model)) {
      bench.events().emit("warning", {{"text", "the Compose model of " + dir_ +
                                                   " cannot be resolved now: " + *problem}});
    } else {
      deployment.model_before = model;
    }
  }
  std::vector<Input> inputs;
  if (!pipeline_.file.empty()) {
    inputs.push_back({fs::absolute(pipeline_.file).lexically_normal().string(), pipeline_.sha256});
  }
  for (const IncludedFile& included : pipeline_.includes) {
    inputs.push_back({fs::absolute(included.file).lexically_normal().string(), included.sha256});
  }
  // Of a saved plan they are among its files, of which the pipeline's own are here already.
  for (const std::string& file : saved != nullptr ? saved->input_files : arguments.vars_files) {
    const std::string path = fs::absolute(file).lexically_normal().string();
    const bool known = std::any_of(inputs.begin(), inputs.end(),
                                   [&](const Input& input) { return input.path == path; });
    if (!known) inputs.push_back({path, digest_of(path)});
  }
  complete(bench, std::move(deployment), std::move(vars), bench.given().promoted, arguments.key,
           std::move(inputs));
}

PreparedSession::PreparedSession(Workbench& bench, Pipeline pipeline, const RunRecord& run)
    : pipeline_(std::move(pipeline)),
      plugins_(bench.plugins(pipeline_)),
      dir_(run.deployment.at("dir").get<std::string>()),
      state_(state_of(bench.arguments(), dir_)),
      dot_env_(bench.masker()) {
  check_pipeline(pipeline_, plugins_);
  env_ = dot_env_.read(state_.env_before(run.id));
  complete(bench, deployment_before(run, state_), run.vars,
           run.deployment.value("promoted", nlohmann::json::object()), run.key, run.inputs);
}

void PreparedSession::complete(Workbench& bench, Deployment deployment, nlohmann::json vars,
                               nlohmann::json promoted, std::string key,
                               std::vector<Input> inputs) {
  show_names(deployment, bench.masker());
  TemporaryDir::remove_abandoned();
  const std::string planned = temporary_.path() + "/planned";
  const std::string planning = temporary_.path() + "/planning";
  make_private_dir(planned);
  make_private_dir(planning);
  bench.masker().add_vars(vars, deployment.dir);
  secrets_ = std::make_unique<SecretStore>(pipeline_.secrets, env_, bench.masker());
  for (const auto& [name, value] : bench.given().secrets) secrets_->give(name, value);
  session_.emplace(
      Session{pipeline_,
              plugins_,
              bench.plugin_folders(),
              std::move(deployment),
              std::move(vars),
              std::move(promoted),
              std::move(key),
              std::move(inputs),
              planned,
              planning,
              state_,
              bench.worker(),
              [binary = bench.installation().worker](const Cancellation& cancellation) {
                return std::make_unique<ProcessWorker>(binary, cancellation);
              },
              bench.events(),
              bench.masker(),
              *secrets_,
              bench.cancellation(),
              dot_env_,
              env_,
              {}});
}

}  // namespace drydock
