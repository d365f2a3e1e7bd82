#include "rollback_plugin.h"

#include <filesystem>
#include <optional>

#include "error.h"
#include "files.h"
#include "plugin_index.h"
#include "plugin_note.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

bool is_unchanged(const std::string& file, const StageRecord& stage) {
  try {
    return sha256_of_file(file) == stage.plugin_sha256;
  } catch (const Error&) {
    return false;
  }
}

// Why `file` cannot undo what the run did: completes "FILE ...". nullopt: it can.
std::optional<std::string> unfit(const std::string& file, const StageRecord& stage,
                                 Worker& worker) {
  std::error_code missing;
  if (!fs::is_regular_file(file, missing)) return "is not there any more";
  for (const std::string& path : {file, fs::path(file).parent_path().string()}) {
    const std::string unsafe = unsafe_to_load(path);
    if (!unsafe.empty()) return "is not loaded: " + unsafe.substr(0, unsafe.size() - 1);
  }
  const auto read = read_plugin_note(file);
  if (const auto* none = std::get_if<NoPluginNote>(&read)) return none->reason;
  const PluginNote& note = std::get<PluginNote>(read);
  if (note.id != stage.plugin_id) {
    return "is the plugin " + note.id + " " + note.version + ", and the run used " +
           stage.plugin_id + " " + stage.plugin_version;
  }
  const ProbeResult probed = worker.probe(file);
  const auto* description = std::get_if<PluginDescription>(&probed);
  if (description == nullptr) {
    if (const auto* refused = std::get_if<WontLoad>(&probed)) return "(" + refused->reason + ")";
    if (const auto* crashed = std::get_if<Crashed>(&probed)) return describe(Outcome(*crashed));
    return "took too long to load";
  }
  for (const StageDescription& type : description->stages) {
    if (type.name != stage.uses) continue;
    if (type.notes_version == stage.notes_version) return std::nullopt;
    return "(version " + note.version + ") reads notes of version " +
           std::to_string(type.notes_version) + ", and " + stage.plugin_version +
           " wrote version " + std::to_string(stage.notes_version);
  }
  return "(version " + note.version + ") has no stage type " + stage.uses;
}

}  // namespace

std::string RollbackPlugins::file_for(const StageRecord& stage) {
  if (const auto known = found_.find(stage.position); known != found_.end()) return known->second;
  if (is_unchanged(stage.plugin_file, stage)) return found_[stage.position] = stage.plugin_file;
  std::vector<std::string> candidates = {stage.plugin_file};
  const std::string name = fs::path(stage.plugin_file).filename().string();
  for (const std::string& folder : folders_) {
    const std::string other = (fs::path(folder) / name).string();
    if (other != stage.plugin_file) candidates.push_back(other);
  }
  std::string reasons;
  for (const std::string& file : candidates) {
    const std::optional<std::string> reason = unfit(file, stage, worker_);
    if (!reason) return found_[stage.position] = file;
    reasons += (reasons.empty() ? "" : "; ") + file + " " + *reason;
  }
  throw Error("no plugin file can undo this stage: " + reasons + "; install " + stage.plugin_id +
                  " " + stage.plugin_version + " again, then repeat the rollback",
              ExitCode::needs_person);
}

}  // namespace drydock
