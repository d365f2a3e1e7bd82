// Measures beside a run, on a thread and in a worker of its own, how long the application does not
// answer. The pipeline's `probe:`.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cancellation.h"
#include "downtime.h"
#include "planner.h"
#include "session.h"

namespace drydock {

class DowntimeMeter : public EventSink {
 public:
  // Begins. `probe`: resolved. A cancelled run is still measured, so it has a cancellation of its
  // own.
  DowntimeMeter(Session& session, const PlannedStage& probe, std::uint64_t run);
  ~DowntimeMeter() override;
  DowntimeMeter(const DowntimeMeter&) = delete;
  DowntimeMeter& operator=(const DowntimeMeter&) = delete;

  // Ends, and tells what was measured, as in run.finished; null, with a warning, when the worker
  // could not measure.
  nlohmann::json finish();

  // Which stage works when.
  void event(const Event& event) override;

 private:
  class Listener;
  void end();

  Session& session_;
  Cancellation stop_;
  std::vector<Busy> busy_;
  std::mutex heard_;  // guards what the thread hears
  Downtime downtime_;
  bool counted_ = false;
  StepResult result_;
  std::thread thread_;
};

}  // namespace drydock
