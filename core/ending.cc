#include "ending.h"

#include <unistd.h>

#include <filesystem>
#include <set>

#include "kept_backups.h"
#include "recovery.h"

namespace drydock {
namespace {

using nlohmann::json;

json application(const Deployment& deployment) {
  if (deployment.compose.project.empty()) return nullptr;
  const auto services = services_of(deployment.compose, deployment.dir);
  if (!services) return nullptr;
  json result = json::array();
  for (const RunningService& service : *services) {
    result.push_back({{"service", service.service},
                      {"image", service.image},
                      {"state", service.state},
                      {"health", service.health}});
  }
  return result;
}

bool holds_files(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_directory(error)) return true;
  }
  return false;
}

json kept_files(const Journal& journal, const StateDir& state, std::uint64_t run) {
  json kept = json::array();
  for (const StageRecord& stage : journal.stages(run)) {
    for (const Artifact& artifact : journal.artifacts(run, stage.position)) {
      // Somebody may have removed the state folder meanwhile.
      const bool there = ::access(artifact.path.c_str(), F_OK) == 0;
      kept.push_back({{"path", artifact.path},
                      {"description", artifact.description + (there ? "" : " (no longer there)")}});
    }
  }
  if (holds_files(state.run_files(run))) {
    kept.push_back({{"path", state.run_files(run)},
                    {"description", "what this run saved before it changed it"}});
  }
  return kept;
}

json next_commands(const Ending& ending, const std::string& dir, const StateDir& state,
                   std::uint64_t run) {
  const auto command = [&](const std::string& name) {
    return command_for(dir, state.path(), name + " " + std::to_string(run));
  };
  switch (ending.state) {
    case RunState::stopped:
      return {command("show"), command("rollback")};
    case RunState::needs_person:
      return {command("show"), command("logs"),
              command("rollback") + (ending.rollback.out_of_memory ? " --no-limits" : "")};
    default:
      return json::array();
  }
}

// Where the rollback fails once more: databases can be put back alone, from what is kept of them.
json other_commands(const Ending& ending, const std::string& dir, const StateDir& state,
                    std::uint64_t run) {
  json commands = json::array();
  if (ending.state != RunState::needs_person) return commands;
  const std::string number = std::to_string(run);
  std::set<std::string> stages;
  for (const KeptBackup& backup : kept_backups(state, run, "")) {
    const bool stayed = ending.rollback.not_put_back.count(backup.stage) != 0;
    if (stayed && backup.restorable()) stages.insert(backup.stage);
  }
  for (const std::string& stage : stages) {
    for (const char* action : {"backups verify ", "backups restore "}) {
      commands.push_back(command_for(dir, state.path(), action + number + " --stage " + stage));
    }
  }
  return commands;
}

}  // namespace

Ending rolled_back_ending(const RollbackReport& report, bool cancelled) {
  Ending ending;
  ending.rollback = report;
  if (!report.verified()) {
    ending.state = RunState::needs_person;
    ending.code = ExitCode::needs_person;
  } else {
    ending.state = cancelled ? RunState::cancelled : RunState::rolled_back;
    ending.code = cancelled ? ExitCode::cancelled : ExitCode::rolled_back;
  }
  return ending;
}

void finish_run(Journal& journal, Events& events, const Deployment& deployment,
                const StateDir& state, std::uint64_t run, const Ending& ending) {
  std::vector<std::string> differences = ending.rollback.problems;
  for (const std::string& difference : ending.rollback.differences)
    differences.push_back(difference);
  const json closing = {{"status", name_of(ending.state)},
                        {"exit_code", static_cast<int>(ending.code)},
                        {"failed_stage", ending.failed_stage},
                        {"failed_step", ending.failed_step},
                        {"reason", ending.reason},
                        {"application", application(deployment)},
                        {"downtime", ending.downtime},
                        {"data_lost", ending.data_lost},
                        {"rehearsal", ending.rehearsal},
                        {"differences", differences},
                        {"not_undone", ending.rollback.left},
                        {"kept", kept_files(journal, state, run)},
                        {"next", next_commands(ending, deployment.dir, state, run)},
                        {"otherwise", other_commands(ending, deployment.dir, state, run)},
                        {"duration_ms", ending.duration.count()},
                        {"log_dir", state.logs(run)}};
  try {
    journal.finish_run(run, ending.state, static_cast<int>(ending.code),
                       events.masker().mask(closing));
  } catch (const Error& e) {
    if (!ending.sealed) throw;
    events.emit("warning", {{"text", "`show` and `history` will not know all of this: " +
                                         std::string(e.what())}});
  }
  events.emit("run.finished", closing);
}

}  // namespace drydock
