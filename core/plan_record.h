// A plan as the journal keeps it: what a rollback needs without the pipeline's file, and what a run
// that was interrupted needs to go on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journal.h"
#include "planner.h"

namespace drydock {

RunRecord record_of(const Session& session);
// `plugin_sha256`: of the stage's plugin file.
StageRecord record_of(const PlannedStage& stage, const std::string& plugin_sha256);
// Of all stages; each plugin file is read once.
std::vector<StageRecord> records_of(const Plan& plan);

// Fills a plan that was laid out anew with what the journal knows of the run, and the session with
// what its stages put out. Throws Error when the pipeline has other stages than the run.
void restore(Plan& plan, Session& session, const Journal& journal, const RunRecord& run);

// Files of the run that are others now, as sentences: its pipeline, its variables, and the plugins
// and inputs of stages that are still to be carried out.
std::vector<std::string> changed_since(const Plan& plan, const RunRecord& run,
                                       const std::vector<StageRecord>& records);

// What a rollback of the stages that were started would lose, by their plans; "": nothing.
std::string what_is_lost(const std::vector<StageRecord>& records);

}  // namespace drydock
