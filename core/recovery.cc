#include "recovery.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "process.h"
#include "text.h"

namespace drydock {
namespace {

bool is_there(const std::string& dir) {
  struct stat status {};
  return ::stat(dir.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Also through links, and by another mount of it.
bool is_same_folder(const std::string& left, const std::string& right) {
  struct stat a {
  }, b{};
  return left == right || (::stat(left.c_str(), &a) == 0 && ::stat(right.c_str(), &b) == 0 &&
                           a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

}  // namespace

std::string command_for(const std::string& dir, const std::string& state_dir,
                        const std::string& command) {
  const bool usual = state_dir == dir + "/.drydock";
  return "drydock -C " + shell_word(dir) + " " + command +
         (usual ? "" : " --state-dir " + shell_word(state_dir));
}

std::optional<RunRecord> interrupted_run(const Journal& journal, const StateDir& state) {
  const std::optional<RunRecord> unfinished = journal.unfinished_run();
  if (!unfinished || DeploymentLock::held(state)) return std::nullopt;
  // It may have ended between the two looks; if it still has not, nobody was there to end it.
  const std::optional<RunRecord> still = journal.unfinished_run();
  return still && still->id == unfinished->id ? still : std::nullopt;
}

std::string where_it_was_interrupted(const Journal& journal, const RunRecord& run) {
  if (run.state == RunState::rolling_back) return "while it was being rolled back";
  std::string where = "before its first stage", at_work;
  for (const StageRecord& stage : journal.stages(run.id)) {
    if (stage.attempt == 0) continue;
    // The last stage that has begun a step is where it stopped; or those of a block that had not
    // ended.
    const std::string here = "in stage '" + stage.key + "', step " + stage.step;
    where = here;
    if (stage.state == StageState::started) at_work += (at_work.empty() ? "" : ", and ") + here;
  }
  return at_work.empty() ? where : at_work;
}

std::string Waiting::sentence() const {
  std::string text = what;
  for (const Offer& offer : offers) {
    text += (&offer == &offers.front() ? "; " : ", ") + offer.purpose + ": " + offer.command;
  }
  return text;
}

Waiting interruption_of(const Journal& journal, const RunRecord& run, const std::string& dir,
                        const StateDir& state) {
  const std::string number = std::to_string(run.id);
  Waiting waiting;
  waiting.what = "run " + number + " (" + run.pipeline + ", started " + run.started +
                 ") was interrupted " + where_it_was_interrupted(journal, run);
  waiting.offers.push_back(
      {"put everything back with", command_for(dir, state.path(), "rollback " + number)});
  if (run.state == RunState::running && !run.inputs.empty()) {
    waiting.offers.push_back({"or go on with", command_for(dir, state.path(), "resume " + number)});
  }
  return waiting;
}

std::string describe_interruption(const Journal& journal, const RunRecord& run,
                                  const std::string& dir, const StateDir& state) {
  return interruption_of(journal, run, dir, state).sentence();
}

std::string state_in_words(const RunRecord& run, bool going_on) {
  switch (run.state) {
    case RunState::running:
      return going_on ? "running" : "interrupted";
    case RunState::rolling_back:
      return going_on ? "rolling back" : "interrupted while rolling back";
    case RunState::done:
      return "done";
    case RunState::rolled_back:
      return "rolled back and verified";
    case RunState::cancelled:
      return "cancelled, rolled back and verified";
    case RunState::stopped:
      return "failed and left as it was";
    case RunState::needs_person:
      return "not wholly put back";
    case RunState::rehearsed:
      return "rehearsed";
  }
  return "";
}

Deployment deployment_before(const RunRecord& run, const StateDir& state) {
  Deployment deployment = deployment_from_json(run.deployment);
  deployment.model_before = state.model_before(run.id);
  if (::access(deployment.model_before.c_str(), R_OK) != 0) deployment.model_before.clear();
  return deployment;
}

void refuse_run_of_another_deployment(const RunRecord& run, const std::string& dir,
                                      const StateDir& state, const std::string& command) {
  const std::string theirs = deployment_from_json(run.deployment).dir;
  if (is_same_folder(theirs, dir)) return;
  const std::string was =
      "run " + std::to_string(run.id) + " was of the deployment " + theirs + ", and this is " + dir;
  if (is_there(theirs)) {
    // A copy has the state of the other one with it, which is not the other one's.
    const bool usual = state.path() == dir + "/.drydock";
    throw Error(was + "; nothing was changed: name that one with: " +
                command_for(theirs, usual ? theirs + "/.drydock" : state.path(), command) +
                "; or, where this is a copy of it, move " + state.path() + " aside");
  }
  throw Error(
      was + ", and the former is not there; nothing was changed: where it was moved here, " +
      "let its old name lead here with: ln -s " + shell_word(dir) + " " + shell_word(theirs));
}

void refuse_state_of_another_deployment(const Journal& journal, const std::string& dir,
                                        const StateDir& state) {
  const std::optional<RunRecord> last = journal.last_run();
  if (!last) return;
  const std::string theirs = deployment_from_json(last->deployment).dir;
  if (is_same_folder(theirs, dir) || !is_there(theirs)) return;
  throw Error(
      "the state folder " + state.path() + " is that of the deployment " + theirs + " (run " +
      std::to_string(last->id) + "), and this is " + dir +
      "; nothing was changed: use another --state-dir, or, where this is a copy of it, move " +
      state.path() + " aside");
}

std::string obstacle_to_rollback(const std::optional<RunRecord>& last_standing,
                                 const RunRecord& run) {
  const std::string number = std::to_string(run.id);
  if (run.state == RunState::rehearsed) {
    return "run " + number + " was a rehearsal, of which nothing is left to be put back";
  }
  if (!stands(run.state)) {
    return "run " + number + " was rolled back already (" + run.finished + "); `drydock show " +
           number + "` has the proof";
  }
  // A newer run that was itself put back left nothing that stands in the way.
  if (!last_standing || last_standing->id <= run.id) return "";
  const std::string newer = std::to_string(last_standing->id);
  return "run " + newer + " came after run " + number +
         "; putting back the older one would undo half of the newer: roll back run " + newer +
         " first";
}

std::optional<Waiting> half_done(const Journal& journal, const std::string& dir,
                                 const StateDir& state) {
  const std::optional<RunRecord> last = journal.last_standing_run();
  if (!last || (last->state != RunState::stopped && last->state != RunState::needs_person)) {
    return std::nullopt;
  }
  const std::string number = std::to_string(last->id);
  const std::string place =
      last->failed_stage.empty() ? "" : " in stage '" + last->failed_stage + "'";
  Waiting waiting;
  waiting.what = "run " + number + " (" + last->pipeline + ", ended " + last->finished +
                 ") failed" + place +
                 (last->state == RunState::stopped ? " and was left as it was"
                                                   : " and could not be put back whole");
  waiting.offers = {
      {"what is wrong", command_for(dir, state.path(), "show " + number)},
      {"put everything back with", command_for(dir, state.path(), "rollback " + number)}};
  if (last->state == RunState::stopped && !last->inputs.empty()) {
    waiting.offers.push_back(
        {"or mend that and go on with", command_for(dir, state.path(), "resume " + number)});
  }
  return waiting;
}

std::string describe_half_done(const Journal& journal, const std::string& dir,
                               const StateDir& state) {
  const std::optional<Waiting> waiting = half_done(journal, dir, state);
  return waiting ? waiting->sentence() : "";
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
