// The stages of one `parallel:` block: all at once, each on a thread of its own with a worker of
// its own. One failure cancels the others.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "stage_attempts.h"

namespace drydock {

class ParallelBlock {
 public:
  ParallelBlock(Session& session, Journal& journal, std::uint64_t run);

  // Returns when all of them have ended, with the end of each. Their options are resolved.
  std::vector<StageEnd> carry_out(const std::vector<PlannedStage*>& stages);
  // The first of those that `on_failure: continue` does not let pass: the failure of the run.
  const std::optional<StageFailure>& failure() const { return failure_; }

 private:
  void work_on(const PlannedStage& stage, StageEnd& end);
  StageEnd attempt(const PlannedStage& stage, Turn& turn);

  Session& session_;
  Journal& journal_;
  const std::uint64_t run_;
  Cancellation cancellation_;
  std::mutex shared_;  // whoever holds it has the turn
  std::optional<StageFailure> failure_;
};

}  // namespace drydock
