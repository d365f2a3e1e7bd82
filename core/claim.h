// What the commands begin with that work on runs of before.
#pragma once

#include "lookup.h"
#include "workbench.h"

namespace drydock {

// Nobody else works on the deployment while this lives.
struct Claim {
  // Throws Error: consent cannot be had, nothing was ever run, somebody else holds the lock;
  // JournalDamaged.
  explicit Claim(const Arguments& arguments);

  const Lookup lookup;
  Workbench bench;
  const DeploymentLock lock;
  Journal& journal;
};

}  // namespace drydock
