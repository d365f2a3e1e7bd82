// Which containers are from before the run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// Those of `existing` that no earlier stage of this run made: only they are what a rollback of the
// whole run goes back to. The first stage that asks leaves the list for the later ones, in a file
// beside the stages' private folders, and gets them as they were when the run began. For `run`,
// before its first change.
std::vector<Container> from_before_the_run(const Call& call,
                                           const std::vector<Container>& existing);

// When the containers that ran as the run began had started: id -> Container::started_at. Empty
// before the first from_before_the_run().
using Starts = std::map<std::string, std::string>;
Starts ran_before_the_run(const Call& call);

// It ran when the run began, ended since and was not started again: a stage stopped it. Its end
// says nothing then, a server that ends cleanly when it is told to has exit code 0 like a job that
// has done its work.
bool left_stopped(const Container& container, const Starts& ran_before);

// What has ended since `begin` (UTC, as Container::finished_at) ran then, but for jobs that are
// done: nothing was stopped by the run yet, and an engine that crashes does not start all of its
// containers again when it comes back (20.10: those with `unless-stopped` stay down). What has
// ended since, or was started and is not healthy yet, was healthy, for all that can be known.
// `begin` is of this machine's clock, the other times are of the engine's.
std::vector<Container> as_when_the_run_began(std::vector<Container> existing,
                                             const std::string& begin);

}  // namespace drydock::compose
