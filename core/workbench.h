// Puts together what a command needs to plan or run: from the command line to a Session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command_line.h"
#include "given_inputs.h"
#include "plugin_path.h"
#include "session.h"
#include "temporary_dir.h"
#include "view.h"

namespace drydock {

struct SavedPlan;

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
  Masker& masker() { return masker_; }
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
  Masker masker_;
  Events events_;
  Cancellation cancellation_;
  std::optional<GivenInputs> given_;
  std::unique_ptr<EventSink> view_, collector_;
  std::unique_ptr<Worker> worker_;
};

// The pipeline that the command line names: ./drydock.yaml, a path, the name of an installed one,
// or --uses.
Pipeline find_pipeline(const Arguments& arguments, const Installation& installation);

// Whether the command line names the pipeline that comes with --stdin, by `-`.
bool is_sent_pipeline(const Arguments& arguments);
// That one, unpacked below `folder`. Relative files of its secrets begin at the deployment's
// folder.
Pipeline received_pipeline(Workbench& bench, const std::string& folder);

// The state folder that belongs to a deployment.
StateDir state_of(const Arguments& arguments, const std::string& deployment_dir);

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
