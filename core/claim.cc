#include "claim.h"

#include "consent.h"

namespace drydock {
namespace {

// Where nothing was ever run, no folder is made for a lock.
Lookup look_up(const Arguments& arguments) {
  require_consent_possible(arguments);
  Lookup lookup(arguments);
  lookup.runs();
  return lookup;
}

DeploymentLock locked(Workbench& bench, const StateDir& state) {
  bench.handle_signals();
  return DeploymentLock(state, bench.patience());
}

}  // namespace

Claim::Claim(const Arguments& arguments)
    : lookup(look_up(arguments)),
      bench(arguments),
      lock(locked(bench, lookup.state)),
      journal(*lookup.journal) {
  journal.check();
}

}  // namespace drydock
