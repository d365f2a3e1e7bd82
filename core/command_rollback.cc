// rollback: puts back what a run changed, from the journal alone.
#include <chrono>
#include <filesystem>

#include "claim.h"
#include "commands.h"
#include "consent.h"
#include "ending.h"
#include "plan_record.h"
#include "prepared_rollback.h"
#include "recovery.h"

namespace drydock {
namespace {

// A finished run has been in use since: what was written after its dump is lost, and that needs a
// word of its own.
void require_consent_to_roll_back(const Arguments& arguments, const RunRecord& run,
                                  const std::string& dir, const StateDir& state,
                                  const Cancellation& cancellation) {
  const std::string number = std::to_string(run.id);
  const bool in_use_since = run.state == RunState::done;
  const std::string loss =
      "Everything that was written into its databases since (" + run.finished + ") is lost";
  // One that was interrupted or left half done may have been in use as well.
  const std::string possible_loss = "What the application has written since then may be lost (`" +
                                    command_for(dir, state.path(), "plan --rollback " + number) +
                                    "` shows it).";
  if (!arguments.yes) {
    if (!person_agrees("Put back everything that run " + number + " (" + run.pipeline + ", " +
                           run.started + ") changed in " + dir + "? " +
                           (in_use_since ? "It finished well. " + loss + "." : possible_loss),
                       cancellation)) {
      throw Error("not confirmed; nothing was changed");
    }
  } else if (in_use_since && !arguments.accept_loss) {
    throw Error("run " + number + " finished well. " + loss +
                " when it is rolled back; add --accept-loss to go on");
  }
}

// Also when its rollback was interrupted since.
bool had_finished_well(const RunRecord& run) {
  return run.state == RunState::done ||
         (run.state == RunState::rolling_back && run.exit_code == static_cast<int>(ExitCode::done));
}

std::string why_it_is_put_back(const Journal& journal, const RunRecord& run) {
  const std::string number = std::to_string(run.id);
  if (had_finished_well(run)) return "run " + number + " is undone on request";
  if (run.state != RunState::running && !run.reason.empty()) return run.reason;
  return "run " + number + " was interrupted " + where_it_was_interrupted(journal, run);
}

// What was written while nobody worked on the run is in no plan of its stages.
std::string what_is_lost_with(const Journal& journal, const RunRecord& run) {
  if (had_finished_well(run)) {
    return "what was written into the databases since " + run.finished;
  }
  const std::string planned = what_is_lost(journal.stages(run.id));
  return (planned.empty() ? "none, unless the application wrote something "
                          : planned + "; also what the application wrote ") +
         (run.finished.empty() ? "after the interruption" : "since " + run.finished);
}

ExitCode put_back(Claim& claim, const RunRecord& run, PreparedRollback& prepared,
                  const std::string& reason) {
  const auto began = std::chrono::steady_clock::now();
  const StateDir& state = claim.lookup.state;
  Rollback rollback = prepared.rollback(claim.journal);
  if (claim.bench.arguments().no_limits) rollback.lift_limits();
  const RollbackReport report = rollback.whole_run(run.id, reason);

  Ending ending = rolled_back_ending(report, false);
  if (report.verified()) {
    ending.code = ExitCode::done;
    // The files are those of before again, and so the snapshot that counts is the one of before.
    std::error_code ignored;
    std::filesystem::remove_all(state.snapshots() + "/" + std::to_string(run.id), ignored);
  }
  ending.failed_stage = run.failed_stage;
  ending.failed_step = run.failed_step;
  if (!had_finished_well(run)) ending.reason = reason;  // else nothing has failed
  ending.data_lost = what_is_lost_with(claim.journal, run);
  ending.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  finish_run(claim.journal, claim.bench.events(), prepared.deployment(), state, run.id, ending);
  return ending.code;
}

ExitCode roll_back(const Arguments& arguments) {
  Claim claim(arguments);
  const StateDir& state = claim.lookup.state;
  Workbench& bench = claim.bench;
  Journal& journal = claim.journal;
  const RunRecord run = claim.lookup.run(arguments);
  refuse_run_of_another_deployment(run, claim.lookup.dir, state,
                                   "rollback " + std::to_string(run.id));
  const std::string obstacle = obstacle_to_rollback(journal.last_standing_run(), run);
  if (!obstacle.empty()) throw Error(obstacle);
  require_consent_to_roll_back(arguments, run, claim.lookup.dir, state, bench.cancellation());

  PreparedRollback prepared(bench, state, run);
  make_private_dir(state.logs(run.id));
  bench.events().set_run(run.id, last_seq_of(state.logs(run.id)));
  const std::unique_ptr<EventSink> log = make_run_log(state.logs(run.id));
  bench.events().add(*log);
  end_dead_workers(journal, run.id, bench.events());
  const std::string reason = why_it_is_put_back(journal, run);
  journal.set_run_state(run.id, RunState::rolling_back, run.failed_stage, run.failed_step, reason);
  ExitCode code = ExitCode::needs_person;
  try {
    code = put_back(claim, run, prepared, reason);
  } catch (const JournalDamaged&) {
    throw;
  } catch (const std::exception& e) {
    // Something was put back, and the journal could not be told how it ended (a full disk).
    throw Error(
        "the rollback could not be brought to an end: " + bench.masker().mask(e.what()) +
            "; mend that, then repeat it with: " +
            command_for(claim.lookup.dir, state.path(), "rollback " + std::to_string(run.id)),
        ExitCode::needs_person);
  }
  bench.events().remove(*log);
  bench.print_document();
  return code;
}

}  // namespace

ExitCode command_rollback(const Arguments& arguments) {
  try {
    return roll_back(arguments);
  } catch (const JournalDamaged& e) {
    // What was to be put back is as it was left, and no command of ours can change that any more.
    throw Error(e.what(), ExitCode::needs_person);
  }
}

}  // namespace drydock
