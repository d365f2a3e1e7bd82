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

// A run that waits for somebody, and the commands that are offered.
struct Waiting {
  struct Offer {
    std::string purpose, command;  // "put everything back with", and what is copied into a shell
  };
  std::string what;  // "run 7 (sample) was interrupted in stage 'migrate', step run"
  std::vector<Offer> offers;
  std::string sentence() const;  // all of it
};

Waiting interruption_of(const Journal& journal, const RunRecord& run, const std::string& dir,
                        const StateDir& state);
std::string describe_interruption(const Journal& journal, const RunRecord& run,
                                  const std::string& dir, const StateDir& state);

// The deployment as the run's first stage found it.
Deployment deployment_before(const RunRecord& run, const StateDir& state);

// Every path of a run is in its journal. Beside a copy of the deployment, in one that has been
// moved since, or in a state folder that two deployments share, that is another folder than `dir`,
// which nobody has asked to change. Throws Error then. `command`: what was asked for, as "rollback
// 7".
void refuse_run_of_another_deployment(const RunRecord& run, const std::string& dir,
                                      const StateDir& state, const std::string& command);
// The same of what a new run would be numbered after, and be compared with. Not where the other
// deployment is gone, since it may have been moved here.
void refuse_state_of_another_deployment(const Journal& journal, const std::string& dir,
                                        const StateDir& state);

// Why a rollback of this run is refused, as a sentence with the remedy; "": it can be undone.
std::string obstacle_to_rollback(const std::optional<RunRecord>& last_standing,
                                 const RunRecord& run);

// The last run that stands, when it ended half done.
std::optional<Waiting> half_done(const Journal& journal, const std::string& dir,
                                 const StateDir& state);
// The same as a sentence; "": it did not.
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
