// Which old runs can go, and what goes with them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "journal.h"
#include "set_aside.h"
#include "state_dir.h"

namespace drydock {

// A run stays when either keeps it.
struct PruneRule {
  std::uint64_t keep = 0;  // so many of the newest; rehearsals count for none but each other
  std::optional<std::chrono::milliseconds> older_than;
};

// Run -> the runs whose backups it restored, or was restoring.
using Needs = std::map<std::uint64_t, std::set<std::uint64_t>>;

// Never the newest run that was not rolled back, which includes an interrupted one and one that was
// left half done. And never one that was not rolled back while an older such run stays: that one
// would then look as if nothing had come after it, and its rollback would undo half of what did.
// Nor what a run needs that stays and was not rolled back. `now` in milliseconds since the epoch.
// Oldest first.
std::vector<RunRecord> prunable_runs(const std::vector<RunRecord>& newest_first,
                                     const PruneRule& rule, std::int64_t now,
                                     const Needs& needs = {});

// Of what restores have set aside, that which may go while its run stays: of runs that ended and do
// not wait. `keep` counts the newest runs of which there is any.
std::vector<SetAside> prunable_set_aside(const std::vector<SetAside>& all,
                                         const std::vector<RunRecord>& newest_first,
                                         const PruneRule& rule, std::int64_t now);

// Of all snapshots, those that neither the next run needs (the newest) nor the next run after one
// of `kept` was rolled back (the newest before that one). Those of `kept` stay with them.
std::vector<std::uint64_t> prunable_snapshots(const std::vector<std::uint64_t>& snapshots,
                                              const std::vector<RunRecord>& kept);

// Of the folders of pipelines that were sent here, those whose pipeline none of `kept` has.
std::vector<std::string> prunable_pipelines(const std::vector<std::string>& folders,
                                            const std::vector<RunRecord>& kept);

struct Pruning {
  struct Run {
    std::uint64_t id = 0;
    std::optional<RunRecord> record;  // none: an earlier pruning was killed before its files went
    std::int64_t bytes = 0;
  };
  std::vector<Run> runs;
  std::vector<std::uint64_t> snapshots;
  std::vector<std::string> pipelines;  // folders
  std::vector<RunRecord> kept;
  // By restores, of runs that go or are kept; to be dropped before anything else is removed, as
  // nothing knows of a database on a server any more once its run is gone.
  std::vector<SetAside> set_aside;
  std::int64_t bytes = 0;  // of files; the journal keeps its size and uses the room again
  bool empty() const {
    return runs.empty() && snapshots.empty() && pipelines.empty() && set_aside.empty();
  }
};

Pruning plan_pruning(const Journal& journal, const StateDir& state, const PruneRule& rule,
                     std::int64_t now);
// What restores have set aside, and no run.
Pruning plan_pruning_of_set_aside(const Journal& journal, const StateDir& state,
                                  const PruneRule& rule, std::int64_t now);
// But for what was set aside. The rows go first: a kill leaves files that nothing refers to, and
// which the next pruning removes, never a run that looks as if it could be undone. Throws Error
// (exit code 3) that names what could not be removed.
void carry_out(const Pruning& pruning, Journal& journal, const StateDir& state);

}  // namespace drydock
