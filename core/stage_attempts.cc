#include "stage_attempts.h"

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace drydock {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

StageFailure failure_of(const PlannedStage& stage, const StepReport& report,
                        const Session& session) {
  const Done* done = std::get_if<Done>(&report.result.outcome);
  const bool cancelled = done != nullptr && done->status == Status::cancelled;
  return StageFailure{stage.identity.key, std::string(name_of(report.result.last)),
                      session.masker.mask(describe(report.result.outcome)),
                      cancelled || session.cancellation.requested()};
}

void emit_stage_finished(Events& events, const PlannedStage& stage, const std::string& status,
                         const std::string& reason) {
  const auto took =
      std::chrono::duration_cast<milliseconds>(SteadyClock::now() - stage.began).count();
  events.emit("stage.finished",
              {{"name", stage.identity.name},
               {"status", status},
               {"reason", reason},
               {"duration_ms", took}},
              stage.identity.key);
}

StageAttempts::StageAttempts(Session& session, Journal& journal, std::uint64_t run, Worker& worker,
                             const Cancellation& cancellation, Turn& turn)
    : session_(session),
      journal_(journal),
      run_(run),
      cancellation_(cancellation),
      turn_(turn),
      worker_(worker, turn),
      performer_(worker_, session.events, session.masker, session.state, &journal) {}

StageEnd StageAttempts::carry_out(const PlannedStage& stage) {
  StageEnd end;
  for (unsigned attempt = stage.attempts + 1;; ++attempt) {
    StepReport gathered;
    end.failure = perform(stage, Step::run, attempt, gathered);
    if (!end.failure && stage.has(Step::verify))
      end.failure = perform(stage, Step::verify, attempt, gathered);
    if (!end.failure) {
      journal_.end_step(run_, stage.identity.position, StageState::done, "", gathered.outputs,
                        gathered.artifacts);
      for (const Output& output : gathered.outputs) {
        end.outputs[output.name] = Value{output.value, "", output.secret};
      }
      emit_stage_finished(session_.events, stage, "done", "");
      return end;
    }
    if (!pause_before_retry(stage, attempt - stage.attempts, *end.failure)) {
      // One that was only cancelled is what a run that is resumed has to begin again.
      const StageState state = end.failure->cancelled ? StageState::started : StageState::failed;
      journal_.end_step(run_, stage.identity.position, state, end.failure->reason, gathered.outputs,
                        gathered.artifacts);
      emit_stage_finished(session_.events, stage, end.failure->cancelled ? "cancelled" : "failed",
                          end.failure->reason);
      return end;
    }
  }
}

std::optional<StageFailure> StageAttempts::perform(const PlannedStage& stage, Step step,
                                                   unsigned attempt, StepReport& gathered) {
  StepRequest request = request_for(session_.deployment);
  address(request, stage);
  request.steps = {step};
  if (stage.rehearsed) request.planned_dir = session_.planned_dir;
  request.private_dir = session_.state.backups(run_, stage.identity.key);
  request.run_id = run_;
  request.run_label = run_label(session_.deployment, run_);
  request.attempt = attempt;
  request.interrupted = stage.attempts > 0;
  request.timeout = stage.spec->timeout;
  request.cancellable = !stage.final;  // a cancelled run still tells that it was
  if (attempt > 1 || step != Step::run)
    request.notes = journal_.notes(run_, stage.identity.position);
  make_private_dir(request.private_dir);
  const StepReport report = performer_.perform(request, stage.identity);
  gathered.outputs.insert(gathered.outputs.end(), report.outputs.begin(), report.outputs.end());
  gathered.artifacts.insert(gathered.artifacts.end(), report.artifacts.begin(),
                            report.artifacts.end());
  if (!report.facts.empty()) {
    journal_.save_facts(run_, stage.identity.position, Moment::when_changed, report.facts);
  }
  if (report.ok()) return std::nullopt;
  return failure_of(stage, report, session_);
}

// False: no attempt is left, or the run is being cancelled.
bool StageAttempts::pause_before_retry(const PlannedStage& stage, unsigned attempt,
                                       const StageFailure& failure) {
  const Retry& retry = stage.spec->retry;
  if (failure.cancelled || attempt > retry.times) return false;
  session_.events.emit("stage.retry",
                       {{"attempt", attempt + 1},
                        {"times", retry.times},
                        {"delay_ms", retry.delay.count()},
                        {"reason", failure.reason}},
                       stage.identity.key);
  const auto until = SteadyClock::now() + retry.delay;
  for (auto now = SteadyClock::now(); now < until; now = SteadyClock::now()) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - now) + milliseconds(1);
    pollfd cancelled{cancellation_.fd(), POLLIN, 0};
    {
      const WithoutTurn waiting(turn_);
      if (::poll(&cancelled, 1, static_cast<int>(std::min(left, milliseconds(100)).count())) > 0)
        break;
    }
    session_.events.idle();
  }
  return !cancellation_.requested();
}

}  // namespace drydock
