// One step of one stage, performed by a process of its own. The runner sees nothing of plugins but
// this.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "file_identity.h"
#include "options_schema.h"
#include "step.h"

namespace drydock {

// What a step may report while it works. The texts come from a plugin: not yet masked, any bytes.
struct Fact {
  std::string name;
  std::string value;
  bool must_return = false;
  bool secret = false;  // keep only an HMAC of the value
};
struct PlannedChange {
  std::string what, action, name, before, after, detail;
  std::int64_t disk_bytes = 0;  // -1: not known
  std::string rollback_loses;
};
struct Output {
  std::string name;
  std::string value;
  bool secret = false, promote = false, planned = false;
};
struct Artifact {
  std::string name, path, description;
};
struct Note {
  std::string key;
  std::string value;
};

enum class LogLevel { debug, info, warning, error };

struct MemoryLimit {
  std::int64_t bytes = 0;  // of each process by itself; 0: none
  std::string remedy;      // "raise it", for whoever reads that it was too little
};

struct StepRequest {
  std::string plugin_file;  // absolute
  // The file whose digest was compared: a worker loads no other one from there. None: any.
  std::optional<FileIdentity> plugin_identity;
  std::string stage_type;
  std::string stage_id;
  std::vector<Step> steps;  // performed in order by one worker, until one is not OK
  // Defaults applied, durations in milliseconds, sizes in bytes, writeOnly options left out.
  nlohmann::json options = nlohmann::json::object();
  std::map<std::string, std::string> secrets;  // writeOnly options: JSON Pointer -> value

  std::string deployment_dir, planned_dir, planning_dir, private_dir, snapshot_dir, next_dir,
      run_label;
  std::uint64_t run_id = 0;
  unsigned attempt = 1;
  bool interrupted = false;
  bool may_fetch = false;
  bool cancellable = true;                           // a rollback is not
  std::optional<std::chrono::milliseconds> timeout;  // of all the steps together
  MemoryLimit memory;

  std::string project, model_before;
  std::vector<std::string> compose_files, profiles;
  std::vector<Note> notes;
};

// Called on the thread that called perform().
class StepListener {
 public:
  virtual ~StepListener() = default;
  // The worker exists and has not begun: journal its process group before this returns.
  virtual void spawned(pid_t group, std::uint64_t start_time) = 0;
  virtual void step_begins(Step) = 0;
  virtual void log(LogLevel, const std::string& text) = 0;  // also each line the worker printed
  virtual void progress(std::uint64_t done, std::uint64_t total, const std::string& unit) = 0;
  virtual void fact(const Fact&) = 0;
  virtual void change(const PlannedChange&) = 0;
  virtual void input(const std::string& path) = 0;  // relative to the deployment, or absolute
  virtual void output(const Output&) = 0;
  virtual void artifact(const Artifact&) = 0;
  // The note is on disk when this returns; or the reason why it was refused.
  virtual std::optional<std::string> remember(const Note&) = 0;
  virtual void idle() = 0;  // about ten times a second, for whoever draws a spinner
};

// How a worker ended. The texts are for people.
enum class Status { ok, failed, bad_options, cancelled, bug, unknown, no_memory };
struct Done {
  Status status = Status::ok;
  std::string reason;
};
struct Crashed {
  int signal = 0;           // 0: it left by itself, without an answer
  std::string detail;       // "exited with code 0 without an answer", "sent a frame of 5 MiB"
  std::string advice = {};  // "its limits.memory is 64 MiB: raise it, ..."
};
struct TimedOut {
  std::chrono::milliseconds limit{0};
};
struct WontLoad {
  std::string reason;
};
using Outcome = std::variant<Done, Crashed, TimedOut, WontLoad>;

struct StepResult {
  Step last = Step::run;  // the last step that was begun
  Outcome outcome;
  bool ok() const {
    const Done* done = std::get_if<Done>(&outcome);
    return done != nullptr && done->status == Status::ok;
  }
};

// "crashed (SIGSEGV)", "ran longer than its timeout of 30s", or the reason that the stage gave.
std::string describe(const Outcome& outcome);

// What a plugin file says of itself when a worker asks it.
struct StageDescription {
  std::string name, summary;
  OptionsSchema schema;  // of `with:`
  std::uint32_t notes_version = 1;
  std::map<Step, std::string> steps;  // the steps it has -> only_with pointer, or ""
};
struct PluginDescription {
  std::string id, version;
  int abi_major = 0, abi_minor = 0;
  std::vector<StageDescription> stages;
};
using ProbeResult = std::variant<PluginDescription, Crashed, TimedOut, WontLoad>;

// What a worker finds in a plugin file that it takes as it is: neither the note nor the description
// has been checked.
struct PluginInspection {
  std::chrono::microseconds loading{0};
  std::string
      exports;  // what is wrong with drydock_plugin_v1(), as far as it was called; "": nothing
  bool stable = true;  // it returned the same description when it was called again
  PluginDescription said;
};
using InspectionResult = std::variant<PluginInspection, Crashed, TimedOut, WontLoad>;

class Worker {
 public:
  virtual ~Worker() = default;
  virtual StepResult perform(const StepRequest&, StepListener&) = 0;
  // Also from several threads at once.
  virtual ProbeResult probe(const FileIdentity& plugin_file) = 0;
  // Says that a step will be performed soon: what that takes to start may begin meanwhile.
  virtual void prepare() {}
  // The same, and which plugins the steps to come will load, in their order. No promise: steps that
  // come otherwise are performed as well.
  virtual void expect(std::vector<FileIdentity>) {}
};

}  // namespace drydock
