// What all checks of one plugin file share: what it says of itself, and the options that its steps
// are tried with.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plugin_index.h"
#include "plugin_note.h"
#include "process_worker.h"

namespace drydock {

struct CheckSettings {
  std::string plugin_file = {};                    // absolute
  std::string stage_binary = {};                   // drydock-stage
  std::string deployment = {};                     // the steps get copies of it; "": empty folders
  nlohmann::json with = nlohmann::json::object();  // stage type -> options
  std::string with_file = {};                      // where that stands
  std::uint64_t seed = 1;
  bool without_run = false;  // this machine has not what run needs
  const Cancellation& stop;  // of the whole check
};

// A stage type, and what its steps can be tried with.
struct CheckedStage {
  IndexedStage type;
  std::string unusable;                               // "": its options can be made; else why not
  nlohmann::json options = nlohmann::json::object();  // as a worker gets them
  std::map<std::string, std::string> secrets;
  // Known once somebody asked why_not_tried() or why_no_run().
  std::optional<std::string> hangs, run_fails;
  bool run_goes_on = false;  // longer than it is waited for, so that it is not tried again

  const std::string& name() const { return type.description.name; }
  const nlohmann::json& schema() const { return type.description.schema.json(); }
  bool has(Step step) const { return type.has(step, options); }
};

class CheckBench {
 public:
  explicit CheckBench(CheckSettings settings);

  const CheckSettings& settings() const { return settings_; }
  ProcessWorker& worker() { return worker_; }

  const std::variant<PluginNote, NoPluginNote>& note() const { return note_; }
  std::string abi_refusal() const;   // by its note; "" when it has none, too
  const InspectionResult* loaded();  // null: it is no plugin for this machine, and not loaded
  // What it said when it was asked; null: it cannot be loaded, must not be asked, or did not
  // answer.
  const PluginInspection* asked();
  // The outcome of asking, where asked() is null because it went wrong; else null.
  const InspectionResult* asking();
  // Sound as far as the steps need it. Empty: it cannot be asked.
  std::vector<CheckedStage>& stages();
  // What trials could not put back, in sentences, each once.
  const std::vector<std::string>& left_behind() const { return left_behind_; }
  void leave_behind(const std::string& sentence) const;

 private:
  CheckSettings settings_;
  ProcessWorker worker_;
  std::variant<PluginNote, NoPluginNote> note_;
  std::optional<InspectionResult> loaded_, asked_;
  std::optional<std::vector<CheckedStage>> stages_;
  mutable std::vector<std::string> left_behind_;
};

// How long a checked plugin is waited for.
WorkerPatience check_patience();

// Is the option at the top level kept secret, and a text? Its JSON Pointer with a value that cannot
// be met by chance.
std::map<std::string, std::string> secret_markers(const nlohmann::json& schema, std::uint64_t seed,
                                                  bool required_only);

}  // namespace drydock
