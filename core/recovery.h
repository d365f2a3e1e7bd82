// What a run left behind when it was killed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deployment.h"
#include "events.h"
#include "journal.h"
#include "state_dir.h"

namespace drydock {

// The run that was interrupted, when there is one and nobody works on it now.
std::optional<RunRecord> interrupted_run(const Journal& journal, const StateDir& state);

// What a run's state means to a person; a run that nobody works on any more was interrupted.
std::string state_in_words(const RunRecord& run, bool going_on);

// "in stage 'migrate', step run", "while it was being rolled back".
std::string where_it_was_interrupted(const Journal& journal, const RunRecord& run);

// "run 7 (sample) was interrupted in stage 'migrate', step run", with the commands that are
// offered.
std::string describe_interruption(const Journal& journal, const RunRecord& run,
                                  const std::string& dir, const StateDir& state);

// The deployment as the run's first stage found it.
Deployment deployment_before(const RunRecord& run, const StateDir& state);

// Why a rollback of this run is refused, as a sentence with the remedy; "": it can be undone.
std::string obstacle_to_rollback(const std::optional<RunRecord>& last_standing,
                                 const RunRecord& run);

// The last run that stands, when it ended half done: a sentence with the commands that are offered;
// "" otherwise.
std::string describe_half_done(const Journal& journal, const std::string& dir,
                               const StateDir& state);

// "drydock -C DIR COMMAND", to be copied into a shell; with --state-dir where that is not the
// usual.
std::string command_for(const std::string& dir, const std::string& state_dir,
                        const std::string& command);

// Ends what the dead run's workers left going, each by name as a recovery event. Containers and
// database sessions are ended by the interrupted stage itself, from its notes.
void end_dead_workers(const Journal& journal, std::uint64_t run, Events& events);

}  // namespace drydock
