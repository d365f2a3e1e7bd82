#include "parallel_block.h"

#include <exception>
#include <thread>

namespace drydock {

ParallelBlock::ParallelBlock(Session& session, Journal& journal, std::uint64_t run)
    : session_(session), journal_(journal), run_(run), cancellation_(&session.cancellation) {}

std::vector<StageEnd> ParallelBlock::carry_out(const std::vector<PlannedStage*>& stages) {
  std::vector<StageEnd> ends(stages.size());
  std::vector<std::jthread> threads;  // joined at the end, whatever happens
  threads.reserve(stages.size());
  Turn turn(shared_);
  try {
    for (std::size_t i = 0; i < stages.size(); ++i) {
      threads.emplace_back([this, &stages, &ends, i] { work_on(*stages[i], ends[i]); });
    }
  } catch (...) {  // no more threads
    cancellation_.request();
    throw;
  }
  turn.unlock();
  threads.clear();
  return ends;
}

void ParallelBlock::work_on(const PlannedStage& stage, StageEnd& end) {
  Turn turn(shared_);
  try {
    end = attempt(stage, turn);
  } catch (const std::exception& e) {
    // As for one stage alone: no failure of our own leaves the upgrade half done.
    end.failure = StageFailure{stage.identity.key, "run", session_.masker.mask(e.what()),
                               session_.cancellation.requested()};
  }
  if (!end.failure || (stage.spec->continue_on_failure && !end.failure->cancelled)) return;
  if (!failure_) failure_ = end.failure;
  cancellation_.request();
}

StageEnd ParallelBlock::attempt(const PlannedStage& stage, Turn& turn) {
  if (cancellation_.requested()) {
    const StageFailure late{stage.identity.key, "run", "cancelled before it began", true};
    journal_.set_stage_state(run_, stage.identity.position, StageState::pending, late.reason);
    emit_stage_finished(session_.events, stage, "cancelled", late.reason);
    return {late, {}};
  }
  // A process dies with the thread that started it, so this worker is gone before the thread is.
  const std::unique_ptr<Worker> worker = session_.new_worker(cancellation_);
  return StageAttempts(session_, journal_, run_, *worker, cancellation_, turn).carry_out(stage);
}

}  // namespace drydock
