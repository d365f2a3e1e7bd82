// A run from its plan to its end, whichever command has the pipeline.
#pragma once

#include "error.h"
#include "pipeline.h"
#include "saved_plan.h"
#include "workbench.h"

namespace drydock {

// Takes the lock, plans, asks, runs; refuses after an interruption. saved: the plan that is to be
// carried out; nullptr: none. Throws Error.
ExitCode run_pipeline(Workbench& bench, const Pipeline& pipeline, const SavedPlan* saved = nullptr);

}  // namespace drydock
