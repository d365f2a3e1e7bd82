#include "rollback_plugin.h"

#include <filesystem>
#include <optional>

#include "error.h"
#include "load_safety.h"
#include "plugin_file.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

// nullopt: it is gone, or another one.
std::optional<FileIdentity> unchanged(const std::string& path, const StageRecord& stage) {
  try {
    const PluginFile file(path);
    if (file.sha256() == stage.plugin_sha256) return file.identity();
  } catch (const Error&) {
  }
  return std::nullopt;
}

// Why the file cannot undo what the run did: completes "FILE ...". nullopt: it can.
std::optional<std::string> unfit(const PluginFile& file, const StageRecord& stage, Worker& worker) {
  const std::string& path = file.identity().path;
  for (const std::string& each : {path, fs::path(path).parent_path().string()}) {
    const std::string unsafe = unsafe_to_load(each);
    if (!unsafe.empty()) return "is not loaded: " + unsafe.substr(0, unsafe.size() - 1);
  }
  const auto read = file.note();
  if (const auto* none = std::get_if<NoPluginNote>(&read)) return none->reason;
  const PluginNote& note = std::get<PluginNote>(read);
  if (note.id != stage.plugin_id) {
    return "is the plugin " + note.id + " " + note.version + ", and the run used " +
           stage.plugin_id + " " + stage.plugin_version;
  }
  const ProbeResult probed = worker.probe(file.identity());
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

FileIdentity RollbackPlugins::file_for(const StageRecord& stage) {
  if (const auto known = found_.find(stage.position); known != found_.end()) return known->second;
  if (const auto same = unchanged(stage.plugin_file, stage)) return found_[stage.position] = *same;
  std::vector<std::string> candidates = {stage.plugin_file};
  const std::string name = fs::path(stage.plugin_file).filename().string();
  for (const std::string& folder : folders_) {
    const std::string other = (fs::path(folder) / name).string();
    if (other != stage.plugin_file) candidates.push_back(other);
  }
  std::string reasons;
  for (const std::string& path : candidates) {
    std::error_code missing;
    std::optional<std::string> reason = "is not there any more";
    if (fs::is_regular_file(path, missing)) {
      try {
        const PluginFile file(path);
        reason = unfit(file, stage, worker_);
        if (!reason) return found_[stage.position] = file.identity();
      } catch (const Error&) {
        reason = "cannot be read";
      }
    }
    reasons += (reasons.empty() ? "" : "; ") + path + " " + *reason;
  }
  throw Error("no plugin file can undo this stage: " + reasons + "; install " + stage.plugin_id +
                  " " + stage.plugin_version + " again, then repeat the rollback",
              ExitCode::needs_person);
}

}  // namespace drydock
