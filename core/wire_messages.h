// What worker.h says, as bodies of wire messages and back. Reading throws WireError.
#pragma once

#include "wire.h"
#include "worker.h"

namespace drydock {

// A frame's request is without its notes: each note is a frame of its own, as it may be 1 MiB.
nlohmann::json request_body(const StepRequest& request);
StepRequest read_request(const nlohmann::json& body);
// Of a request, and of a question about a plugin file.
nlohmann::json plugin_body(const FileIdentity& plugin_file);
std::optional<FileIdentity> read_plugin_identity(const nlohmann::json& body);
nlohmann::json note_body(const Note& note);
Note read_note(const nlohmann::json& body);

nlohmann::json fact_body(const Fact& fact);
Fact read_fact(const nlohmann::json& body);
nlohmann::json change_body(const PlannedChange& change);
PlannedChange read_change(const nlohmann::json& body);
nlohmann::json output_body(const Output& output);
Output read_output(const nlohmann::json& body);
nlohmann::json artifact_body(const Artifact& artifact);
Artifact read_artifact(const nlohmann::json& body);

struct LogLine {
  LogLevel level = LogLevel::info;
  std::string text;
};
nlohmann::json log_body(const LogLine& line);
LogLine read_log(const nlohmann::json& body);

struct Progress {
  std::uint64_t done = 0, total = 0;
  std::string unit;
};
nlohmann::json progress_body(const Progress& progress);
Progress read_progress(const nlohmann::json& body);

struct StepDone {
  Step step = Step::run;
  Done done;
};
nlohmann::json done_body(const StepDone& done);
StepDone read_done(const nlohmann::json& body);

nlohmann::json description_body(const PluginDescription& plugin);
PluginDescription read_description(const nlohmann::json& body);
nlohmann::json inspection_body(const PluginInspection& inspection);
PluginInspection read_inspection(const nlohmann::json& body);

Step read_step(const nlohmann::json& body);

}  // namespace drydock
