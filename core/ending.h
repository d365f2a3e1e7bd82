// How a run ended: its state, its exit code, and the closing screen's answers, recorded and shown
// in one place.
#pragma once

#include <chrono>
#include <string>

#include "error.h"
#include "events.h"
#include "journal.h"
#include "rollback.h"

namespace drydock {

struct Ending {
  RunState state = RunState::done;
  ExitCode code = ExitCode::done;
  std::string failed_stage, failed_step, reason;
  bool sealed = false;      // the journal has the state already; only how it came to be is missing
  RollbackReport rollback;  // empty when nothing was rolled back
  std::string data_lost;    // in words; "" : nothing that is known of
  std::vector<std::string> rehearsal;  // what a rehearsal found, in sentences
  nlohmann::json downtime;  // as DowntimeMeter tells; null: not measured
  std::chrono::milliseconds duration{0};
};

// The ending of a run that was rolled back, whether it failed, was cancelled or was interrupted.
Ending rolled_back_ending(const RollbackReport& report, bool cancelled);

// Journals the end and emits run.finished, the last event of a run. Where the journal cannot take
// the end of a run that is sealed (a full disk), that is a warning.
void finish_run(Journal& journal, Events& events, const Deployment& deployment,
                const StateDir& state, std::uint64_t run, const Ending& ending);

}  // namespace drydock
