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
                                  const std::string& dir, const Cancellation& cancellation) {
  const std::string number = std::to_string(run.id);
  const bool in_use_since = run.state == RunState::done;
  const std::string loss =
      "Everything that was written into its databases since (" + run.finished + ") is lost";
  if (!arguments.yes) {
    if (!person_agrees("Put back everything that run " + number + " (" + run.pipeline + ", " +
                           run.started + ") changed in " + dir + "?" +
                           (in_use_since ? " It finished well. " + loss + "." : ""),
                       cancellation)) {
      throw Error("not confirmed; nothing was changed");
    }
  } else if (in_use_since && !arguments.accept_loss) {
    throw Error("run " + number + " finished well. " + loss +
                " when it is rolled back; add --accept-loss to go on");
  }
}

// Says by `begun` which run it has begun to put back.
ExitCode roll_back(const Arguments& arguments, std::string& begun) {
  Claim claim(arguments);
  const StateDir& state = claim.lookup.state;
  Workbench& bench = claim.bench;
  Journal& journal = claim.journal;
  const RunRecord run = claim.lookup.run(arguments);
  const std::string number = std::to_string(run.id);
  const std::string obstacle = obstacle_to_rollback(journal.runs(), run);
  if (!obstacle.empty()) throw Error(obstacle);
  require_consent_to_roll_back(arguments, run, claim.lookup.dir, bench.cancellation());

  PreparedRollback prepared(bench, state, run);
  make_private_dir(state.logs(run.id));
  bench.events().set_run(run.id, last_seq_of(state.logs(run.id)));
  const std::unique_ptr<EventSink> log = make_run_log(state.logs(run.id));
  bench.events().add(*log);
  end_dead_workers(journal, run.id, bench.events());
  const auto began = std::chrono::steady_clock::now();
  const bool interrupted = run.state == RunState::running || run.state == RunState::rolling_back;
  const bool finished_well = run.state == RunState::done;
  const std::string reason = interrupted     ? "run " + number + " was interrupted"
                             : finished_well ? "run " + number + " is undone on request"
                                             : run.reason;
  journal.set_run_state(run.id, RunState::rolling_back, run.failed_stage, run.failed_step, reason);
  begun = number;
  Rollback rollback = prepared.rollback(journal);
  if (arguments.no_limits) rollback.lift_limits();
  const RollbackReport report = rollback.whole_run(run.id, reason);

  Ending ending = rolled_back_ending(report, false);
  if (report.verified()) {
    ending.code = ExitCode::done;
    // The files are those of before again, and so the snapshot that counts is the one of before.
    std::error_code ignored;
    std::filesystem::remove_all(state.snapshots() + "/" + number, ignored);
  }
  ending.failed_stage = run.failed_stage;
  ending.failed_step = run.failed_step;
  ending.reason = reason;
  if (interrupted) {
    ending.data_lost = what_is_lost(journal.stages(run.id));
    if (ending.data_lost.empty()) {
      ending.data_lost = "none, unless the application wrote something after the interruption";
    }
  }
  if (finished_well) ending.data_lost = "what was written into the databases since " + run.finished;
  ending.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  finish_run(journal, bench.events(), prepared.deployment(), state, run.id, ending);
  bench.events().remove(*log);
  bench.print_document();
  return ending.code;
}

}  // namespace

ExitCode command_rollback(const Arguments& arguments) {
  std::string begun;
  try {
    return roll_back(arguments, begun);
  } catch (const JournalDamaged& e) {
    // What was to be put back is as it was left, and no command of ours can change that any more.
    throw Error(e.what(), ExitCode::needs_person);
  } catch (const std::exception& e) {
    if (begun.empty()) throw;
    // Something was put back, and the journal could not be told how it ended (a full disk).
    throw Error("the rollback of run " + begun + " could not be brought to an end: " + e.what() +
                    "; mend that, then repeat it with `drydock rollback " + begun + "`",
                ExitCode::needs_person);
  }
}

}  // namespace drydock
