// Who carries out a rollout has it alone: by a lock on this machine, by a lease wherever else its
// state is read.
#pragma once

#include <functional>
#include <string>

#include "rollout_place.h"
#include "rollout_store.h"
#include "workbench.h"

namespace drydock {

// While this lives nobody else carries out the rollout, wherever they are.
class Lease {
 public:
  // Throws Error (exit code 4) that names who has it.
  Lease(Workbench& bench, RolloutStore& store, const RolloutPlace& place, const RolloutPlan& plan);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  std::function<bool(const std::string&)> patience(Workbench& bench, const std::string& rollout,
                                                   const std::string& resume);

  RolloutStore& store_;
  bool told_ = false;  // that the shared state does not answer
};

// The one that the command line names, which nobody else carries out while this lives. What others
// have done with it until then counts.
class HeldRollout {
 public:
  explicit HeldRollout(Workbench& bench)
      : found_(find_rollout(bench.arguments())),
        lock_(lock_of(found_.place, found_.record.plan)),
        lease_(bench, *found_.store, found_.place, found_.record.plan) {
    found_.read_again();
  }
  const FoundRollout& found() const { return found_; }

 private:
  FoundRollout found_;
  DeploymentLock lock_;
  Lease lease_;
};

}  // namespace drydock
