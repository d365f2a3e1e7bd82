// A worker that performs steps as a test tells it, in this process.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "worker.h"

namespace drydock {

class FakeWorker : public Worker {
 public:
  // "migrate.run": every step that was begun, in order.
  std::vector<std::string> performed;
  std::vector<StepRequest> requests;
  // What a step does; by default it succeeds.
  std::function<Outcome(const StepRequest&, Step, StepListener&)> on_step =
      [](const StepRequest&, Step, StepListener&) { return Done{}; };

  StepResult perform(const StepRequest& request, StepListener& listener) override {
    requests.push_back(request);
    listener.spawned(4711, 99);
    StepResult result;
    for (Step step : request.steps) {
      performed.push_back(request.stage_id + "." + std::string(name_of(step)));
      listener.step_begins(step);
      result = {step, on_step(request, step, listener)};
      if (!result.ok()) break;
    }
    return result;
  }
  ProbeResult probe(const FileIdentity&) override { return WontLoad{"a fake loads nothing"}; }
};

}  // namespace drydock
