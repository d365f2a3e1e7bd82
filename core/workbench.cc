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
      masker_(arguments.masker ? arguments.masker : std::make_shared<Masker>()),
      events_(*masker_),
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
    for (const auto& [name, value] : given_->secrets) masker_->add(name, value);
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

StateDir state_of(const Arguments& arguments, const std::string& deployment_dir) {
  if (arguments.state_dir.empty()) return StateDir(deployment_dir + "/.drydock");
  const std::string path = fs::absolute(arguments.state_dir).lexically_normal().string();
  if (!is_utf8(path)) {
    throw Error("the state folder " + path +
                " has a name that is no UTF-8, which the journal cannot keep; use another one");
  }
  return StateDir(path);
}

}  // namespace drydock
