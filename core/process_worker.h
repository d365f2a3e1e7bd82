// The Worker of worker.h that starts a drydock-stage for each step.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cancellation.h"
#include "worker.h"

namespace drydock {

class WorkerSession;

// How long a worker is waited for. Tests make these short.
struct WorkerPatience {
  // From the cancel frame to SIGTERM. A command that the step runs gets two thirds of it between
  // its SIGTERM and its SIGKILL, so that the step can still clean up and answer.
  std::chrono::milliseconds stop = std::chrono::seconds(15);
  std::chrono::milliseconds terminate = std::chrono::seconds(5);  // from SIGTERM to SIGKILL
  std::chrono::milliseconds leave = std::chrono::seconds(2);      // from its answer to its end
  std::chrono::milliseconds probe = std::chrono::seconds(10);     // to load and describe a plugin
};

class ProcessWorker : public Worker {
 public:
  // `stage_binary`: the path of drydock-stage. The cancellation must live as long as this.
  ProcessWorker(std::string stage_binary, const Cancellation& cancellation,
                WorkerPatience patience = {});
  ~ProcessWorker() override;

  StepResult perform(const StepRequest& request, StepListener& listener) override;
  ProbeResult probe(const FileIdentity& plugin_file) override;
  // What `drydock plugin check` wants to know; with `ask`, drydock_plugin_v1() is called.
  InspectionResult inspect(const std::string& plugin_file, bool ask);
  void prepare() override;
  void expect(std::vector<FileIdentity> plugins) override;

 private:
  std::unique_ptr<WorkerSession> take_next(const StepRequest& request);

  std::string stage_binary_;
  const Cancellation& cancellation_;
  WorkerPatience patience_;
  // To start a process and to load a plugin takes as long as many a step, so the next worker does
  // both while one performs. Then it waits until it is taken.
  std::unique_ptr<WorkerSession> next_;
  std::optional<FileIdentity> loaded_by_next_;
  std::optional<std::deque<FileIdentity>> expected_;  // none: nobody knows what comes
};

}  // namespace drydock
