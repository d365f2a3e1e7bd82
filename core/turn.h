// Stages that run at once take turns with all that they share: events, journal, secrets. Who works
// with it has the turn, and lets go of it only to wait.
#pragma once

#include <mutex>

#include "worker.h"

namespace drydock {

using Turn = std::unique_lock<std::mutex>;

// Lets go of a turn until the end of the scope.
class WithoutTurn {
 public:
  explicit WithoutTurn(Turn& turn) : turn_(turn) { turn_.unlock(); }
  ~WithoutTurn() { turn_.lock(); }
  WithoutTurn(const WithoutTurn&) = delete;
  WithoutTurn& operator=(const WithoutTurn&) = delete;

 private:
  Turn& turn_;
};

// A worker that is called with the turn, works without it, and has it again whenever it reports.
class TurnWorker : public Worker {
 public:
  TurnWorker(Worker& worker, Turn& turn) : worker_(worker), turn_(turn) {}

  StepResult perform(const StepRequest& request, StepListener& listener) override;
  ProbeResult probe(const FileIdentity& plugin_file) override;

 private:
  Worker& worker_;
  Turn& turn_;
};

}  // namespace drydock
