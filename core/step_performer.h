// Between the runner and the worker: a step's reports become events and, where they must last,
// journal entries.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "events.h"
#include "journal.h"
#include "secrets.h"
#include "state_dir.h"
#include "worker.h"

namespace drydock {

// Whose step it is, for the screen and the journal.
struct StageIdentity {
  std::string key, name, uses;
  int index = 1, count = 1;  // "3 of 9", for people
  int position = 0;
};

struct StepReport {
  StepResult result;
  std::vector<Fact> facts;  // secret values already turned into fingerprints, others masked
  std::vector<PlannedChange> changes;
  std::vector<std::string> inputs;  // paths, as the stage named them
  std::vector<Output> outputs;
  std::vector<Artifact> artifacts;
  bool ok() const { return result.ok(); }
};

class StepPerformer {
 public:
  // A null journal: no run yet, only observe and plan are performed.
  StepPerformer(Worker& worker, Events& events, Masker& masker, const StateDir& state,
                Journal* journal)
      : worker_(worker), events_(events), masker_(masker), state_(state), journal_(journal) {}

  // run, verify, rollback and settle are journaled before they begin.
  StepReport perform(const StepRequest& request, const StageIdentity& stage);
  // Called about ten times a second while a worker works; what it throws ends the worker.
  void while_it_works(std::function<void()> look) { look_ = std::move(look); }

 private:
  Worker& worker_;
  Events& events_;
  Masker& masker_;
  const StateDir& state_;
  Journal* journal_;
  std::function<void()> look_;
};

// "failed", "crashed", ...: the status field of step.finished.
std::string status_name(const Outcome& outcome);

}  // namespace drydock
