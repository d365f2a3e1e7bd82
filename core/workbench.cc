#include "workbench.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "error.h"
#include "interruption_question.h"
#include "json_text.h"
#include "process.h"
#include "process_worker.h"
#include "recovery.h"
#include "saved_plan.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A signal handler reaches nothing but this.
Cancellation* signalled = nullptr;
extern "C" void on_signal(int) {
  count_signal();
  if (signalled != nullptr) signalled->request();  // null: the command has ended already
}

// Gathers what --json prints when the command ends.
class Collector : public EventSink {
 public:
  void event(const Event& event) override {
    if (event.type == "plan.started" || event.type == "plan.finished") {
      document_["plan"].update(event.data);
    } else if (event.type == "stage.planned") {
      json stage = event.data;
      stage["stage"] = event.stage;
      document_["plan"]["planned"].push_back(stage);
    } else if (event.type == "run.finished") {
      document_["run"] = event.data;
      document_["run"]["id"] = event.run;
    } else if (event.type == "warning") {
      document_["warnings"].push_back(event.data["text"]);
    }
  }
  json document() const { return document_; }

 private:
  json document_ = json::object();
};

// For the process that waits until a detached run has started, and no longer.
class UntilStarted : public EventSink {
 public:
  void event(const Event& event) override {
    if (!started_) stream_->event(event);
    started_ = started_ || event.type == "run.started";
  }

 private:
  std::unique_ptr<EventSink> stream_ = make_event_stream(std::cout);
  bool started_ = false;
};

// Whoever put a plugin before the built-in ones may not know that it has the name of one.
std::vector<std::string> hidden_built_ins(const PluginIndex& index, const std::string& folder) {
  std::vector<std::string> texts;
  for (const IndexedPlugin& plugin : index.plugins()) {
    if (fs::path(plugin.file).parent_path() != folder) continue;
    for (const std::string& type : plugin.stage_types) {
      const IndexedStage* used = index.find(type);
      if (used == nullptr || used->plugin_file == plugin.file) continue;
      texts.push_back("the stage type '" + type + "' is that of " + used->plugin_file +
                      ", which hides the built-in one");
    }
  }
  return texts;
}

}  // namespace

namespace {

// Of a variable that is given twice the command line's counts.
std::vector<GivenVar> given_vars(Workbench& bench) {
  std::vector<GivenVar> given = bench.given().vars;
  for (GivenVar& each : read_vars(bench.arguments().vars_files, bench.arguments().vars)) {
    given.push_back(std::move(each));
  }
  return given;
}

}  // namespace

Installation Installation::here() {
  const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path prefix = bin.parent_path();
  return {(bin / "drydock-stage").string(), (prefix / "lib/drydock/stages").string(),
          (prefix / "lib/drydock/plugins").string(), (prefix / "share/drydock/pipelines").string(),
          (prefix / "share/drydock/template").string()};
}

Workbench::Workbench(const Arguments& arguments)
    : arguments_(arguments),
      installation_(Installation::here()),
      events_(masker_),
      worker_(std::make_unique<ProcessWorker>(installation_.worker, cancellation_)) {
  become_subreaper();
  if (arguments.json) {
    collector_ = std::make_unique<Collector>();
    events_.add(*collector_);
  } else if (arguments.tell_until_started) {
    view_ = std::make_unique<UntilStarted>();
    events_.add(*view_);
  } else if (arguments.events) {
    view_ = make_event_stream(std::cout);
    events_.add(*view_);
  } else {
    ViewStyle style = style_of_stdout();
    style.verbose = arguments.verbose;
    style.all = arguments.all;
    view_ = make_view(std::cout, style);
    events_.add(*view_);
  }
}

Workbench::~Workbench() { signalled = nullptr; }

void Workbench::handle_signals() {
  signalled = &cancellation_;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

DeploymentLock::Patience Workbench::patience() {
  return {arguments_.lock_wait, &cancellation_,
          [this](const DeploymentLock::Holder& holder) {
            events_.emit("warning",
                         {{"text", "waiting for process " + std::to_string(holder.pid) + " of " +
                                       holder.user + " (since " + holder.since + ") to end"}});
          },
          arguments_.key};
}

std::vector<PluginFolder> Workbench::plugin_path() const {
  return drydock::plugin_path(arguments_.plugin_dirs, installation_.plugins, installation_.stages);
}

std::vector<std::string> Workbench::plugin_folders() const {
  std::vector<std::string> folders;
  for (const PluginFolder& folder : plugin_path()) {
    if (folder.is_there || folder.origin == PluginFolder::Origin::built_in) {
      folders.push_back(folder.path);
    }
  }
  return folders;
}

PluginIndex Workbench::plugins_as_found() { return PluginIndex::scan(plugin_folders(), *worker_); }

PluginIndex Workbench::plugins(const Pipeline& pipeline) {
  PluginIndex index = PluginIndex::scan(plugin_folders(), *worker_, pinned_digests(pipeline));
  if (!index.problems().empty()) throw Error(index.problems().front().sentence);
  for (const std::string& warning : index.warnings()) events_.emit("warning", {{"text", warning}});
  for (const std::string& text : hidden_built_ins(index, installation_.stages)) {
    events_.emit("warning", {{"text", text}});
  }
  return index;
}

const GivenInputs& Workbench::given() {
  if (!given_) {
    given_ = arguments_.from_stdin ? read_given_inputs(STDIN_FILENO) : GivenInputs();
    // Also where nothing asks for them: what was given is never written.
    for (const auto& [name, value] : given_->secrets) masker_.add(name, value);
  }
  return *given_;
}

json Workbench::document() const {
  return collector_ ? static_cast<const Collector&>(*collector_).document() : json::object();
}

void Workbench::print_document() const {
  if (!collector_) return;
  std::cout << indented(document());
}

Pipeline find_pipeline(const Arguments& arguments, const Installation& installation) {
  if (!arguments.uses.empty()) return single_stage_pipeline(arguments.uses, arguments.with);
  if (arguments.positional.empty()) {
    deployment_dir(arguments.directory, {});  // a folder that is not there is the better reason
    const fs::path file = fs::path(arguments.directory) / "drydock.yaml";
    if (!fs::exists(file)) {
      throw Error("there is no pipeline " + file.string() +
                  "; name one (`drydock plan FILE`), or let `drydock init` choose one");
    }
    return load_pipeline(file.string());
  }
  const std::string& named = arguments.positional.front();
  const bool path = named.find('/') != std::string::npos || fs::path(named).has_extension();
  const fs::path installed = fs::path(installation.pipelines) / (named + ".yaml");
  // A checkout of the application beside us is often a folder of the same name.
  const bool only_a_folder = fs::is_directory(named) && fs::exists(installed);
  if (path || (fs::exists(named) && !only_a_folder)) return load_pipeline(named);
  if (!fs::exists(installed)) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(installation.pipelines, error)) {
      names.push_back(entry.path().stem().string());
    }
    throw Error("'" + named + "' is neither a file nor an installed pipeline" +
                did_you_mean(named, names) +
                "; installed: " + (names.empty() ? "none" : join(names, ", ")));
  }
  return load_pipeline(installed.string());
}

bool is_sent_pipeline(const Arguments& arguments) {
  return !arguments.positional.empty() && arguments.positional.front() == sent_pipeline_word;
}

Pipeline received_pipeline(Workbench& bench, const std::string& folder) {
  const Arguments& arguments = bench.arguments();
  if (!arguments.from_stdin) {
    throw Error(arguments.command +
                ": found the pipeline '-' without --stdin; name its file, or give it as 'pipeline' "
                "of the document on standard input");
  }
  if (!bench.given().pipeline) {
    throw Error("--stdin: found no 'pipeline', which '-' stands for; send one, or name its file");
  }
  const std::string file = unpack_pipeline(*bench.given().pipeline, folder);
  const std::string dir = deployment_dir(arguments.directory, load_pipeline(file).deployment);
  return load_pipeline(file, dir);
}

StateDir state_of(const Arguments& arguments, const std::string& deployment_dir) {
  if (arguments.state_dir.empty()) return StateDir(deployment_dir + "/.drydock");
  return StateDir(fs::absolute(arguments.state_dir).lexically_normal().string());
}

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
