#include "recovery.h"

#include "process.h"

namespace drydock {

std::string command_for(const std::string& dir) {
  const std::string plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%,=";
  if (dir.find_first_not_of(plain) == std::string::npos) return "drydock -C " + dir;
  std::string quoted;
  for (const char c : dir) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "drydock -C '" + quoted + "'";
}

std::optional<RunRecord> interrupted_run(const Journal& journal, const StateDir& state) {
  if (DeploymentLock::held(state)) return std::nullopt;
  return journal.unfinished_run();
}

std::string describe_interruption(const Journal& journal, const RunRecord& run,
                                  const std::string& dir) {
  std::string where = "before its first stage";
  for (const StageRecord& stage : journal.stages(run.id)) {
    // The last stage that has begun a step is where it stopped: while rolling back, the last that
    // did so in that pass.
    if (stage.attempt > 0) where = "in stage '" + stage.key + "', step " + stage.step;
    if (run.state == RunState::running && stage.state == StageState::started) break;
  }
  if (run.state == RunState::rolling_back) where = "while it was being rolled back";
  return "run " + std::to_string(run.id) + " (" + run.pipeline + ", started " + run.started +
         ") was interrupted " + where + "; put everything back with: " + command_for(dir) +
         " rollback " + std::to_string(run.id);
}

void end_dead_workers(const Journal& journal, std::uint64_t run, Events& events) {
  for (const JournaledWorker& worker : journal.workers(run)) {
    for (const EndedProcess& ended :
         end_process_group(worker.group, worker.start_time, worker.boot_id)) {
      events.emit("recovery",
                  {{"text", "ended process " + std::to_string(ended.pid) + " (" + ended.command +
                                "), which run " + std::to_string(run) + " had left"}});
    }
  }
}

}  // namespace drydock
