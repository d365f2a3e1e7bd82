// run and verify of one stage, again and again as its `retry` allows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "planner.h"
#include "session.h"
#include "step_performer.h"
#include "turn.h"

namespace drydock {

struct StageFailure {
  std::string stage, step, reason;
  bool cancelled = false;
};

// Of a step that was not OK.
StageFailure failure_of(const PlannedStage& stage, const StepReport& report,
                        const Session& session);
void emit_stage_finished(Events& events, const PlannedStage& stage, const std::string& status,
                         const std::string& reason);

struct StageEnd {
  std::optional<StageFailure> failure;
  std::map<std::string, Value> outputs;  // of a stage that is done
};

class StageAttempts {
 public:
  // `turn` is held by the caller, and is let go while the worker works and between two attempts.
  StageAttempts(Session& session, Journal& journal, std::uint64_t run, Worker& worker,
                const Cancellation& cancellation, Turn& turn);

  // Journals and tells how the stage ended. Notes are kept from one attempt to the next.
  StageEnd carry_out(const PlannedStage& stage);

 private:
  std::optional<StageFailure> perform(const PlannedStage& stage, Step step, unsigned attempt,
                                      StepReport& gathered);
  bool pause_before_retry(const PlannedStage& stage, unsigned attempt, const StageFailure& failure);

  Session& session_;
  Journal& journal_;
  const std::uint64_t run_;
  const Cancellation& cancellation_;
  Turn& turn_;
  TurnWorker worker_;
  StepPerformer performer_;
};

}  // namespace drydock
