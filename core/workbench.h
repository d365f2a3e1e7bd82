// What every command works with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command_line.h"
#include "given_inputs.h"
#include "plugin_path.h"
#include "session.h"
#include "view.h"

namespace drydock {

// Where things are, relative to this executable: in a build tree and under a prefix alike.
struct Installation {
  static Installation here();
  std::string worker;     // bin/drydock-stage
  std::string stages;     // lib/drydock/stages: the built-in ones
  std::string plugins;    // lib/drydock/plugins: the system's others
  std::string pipelines;  // share/drydock/pipelines
  std::string templates;  // share/drydock/template: a folder for each language of `plugin new`
};

// What every command has: the masker, the events and who shows them, and the worker.
class Workbench {
 public:
  explicit Workbench(const Arguments& arguments);
  ~Workbench();
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

  const Arguments& arguments() const { return arguments_; }
  const Installation& installation() const { return installation_; }
  Masker& masker() { return *masker_; }
  Events& events() { return events_; }
  Worker& worker() { return *worker_; }
  Cancellation& cancellation() { return cancellation_; }
  // SIGINT and SIGTERM cancel; SIGHUP and SIGPIPE never do.
  void handle_signals();

  // Who shows the events: for those of a run that another process performs.
  EventSink& sink() { return collector_ ? *collector_ : *view_; }

  // How the deployment's lock is waited for, by --lock-wait.
  DeploymentLock::Patience patience();

  // Where plugins are looked for. Throws Error.
  std::vector<PluginFolder> plugin_path() const;
  std::vector<std::string> plugin_folders() const;  // those of them that are there
  // For that pipeline: of plugins that it pins nothing but the pinned file is ever loaded. Throws
  // Error when a plugin file is broken: a damaged installation is mended before it upgrades
  // anything.
  PluginIndex plugins(const Pipeline& pipeline);
  // The same for commands that only look: problems stay in the index.
  PluginIndex plugins_as_found();

  // The document on standard input, with --stdin; read once, when it is asked for.
  const GivenInputs& given();

  // --json: what the events told, as one document.
  nlohmann::json document() const;
  void print_document() const;  // nothing without --json

 private:
  const Arguments& arguments_;
  Installation installation_;
  std::shared_ptr<Masker> masker_;  // never null
  Events events_;
  Cancellation cancellation_;
  std::optional<GivenInputs> given_;
  std::unique_ptr<EventSink> view_, collector_;
  std::unique_ptr<Worker> worker_;
};

// The state folder that belongs to a deployment.
StateDir state_of(const Arguments& arguments, const std::string& deployment_dir);

}  // namespace drydock
