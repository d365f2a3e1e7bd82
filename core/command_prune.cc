// history --prune: removes old runs with what they kept.
#include <iostream>

#include "claim.h"
#include "commands.h"
#include "consent.h"
#include "json_text.h"
#include "lookup.h"
#include "prune.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::uint64_t usually_kept = 10;

std::string counted(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

json to_json(const Pruning& pruning) {
  json removed = json::array(), kept = json::array();
  for (const Pruning::Run& run : pruning.runs) {
    removed.push_back({{"run", run.id},
                       {"pipeline", run.record ? json(run.record->pipeline) : json()},
                       {"bytes", run.bytes}});
  }
  for (const RunRecord& run : pruning.kept) kept.push_back(run.id);
  return {{"removed", removed},
          {"snapshots", pruning.snapshots},
          {"kept", kept},
          {"bytes", pruning.bytes}};
}

void print(const Pruning& pruning) {
  for (const Pruning::Run& run : pruning.runs) {
    const std::string what = run.record ? run.record->pipeline + "  " + run.record->started
                                        : "files that an interrupted removal left";
    std::cout << make_visible("run " + std::to_string(run.id) + "  " + what) << "  "
              << format_size(run.bytes) << "\n";
  }
  const std::string stay =
      counted(pruning.kept.size(), "run") + (pruning.kept.size() == 1 ? " stays" : " stay") + "\n";
  if (pruning.empty()) {
    std::cout << "nothing to remove: " << stay;
    return;
  }
  std::cout << "to be removed: " << counted(pruning.runs.size(), "run")
            << " with logs and backups, " << counted(pruning.snapshots.size(), "snapshot") << ", "
            << format_size(pruning.bytes) << " in all; " << stay;
}

}  // namespace

ExitCode command_prune(const Arguments& arguments) {
  mention_interruption(arguments);  // before the lock is ours
  Claim claim(arguments);
  const StateDir& state = claim.lookup.state;
  PruneRule rule;
  rule.keep = arguments.keep.value_or(arguments.older_than ? 0 : usually_kept);
  rule.older_than = arguments.older_than;
  const Pruning pruning = plan_pruning(claim.journal, state, rule, utc_milliseconds(utc_now()));
  if (!arguments.json) print(pruning);
  if (!pruning.empty()) {
    if (!arguments.yes &&
        !person_agrees("What is removed can no longer be shown or rolled back. Go ahead?",
                       claim.bench.cancellation())) {
      throw Error("not confirmed; nothing was removed");
    }
    carry_out(pruning, claim.journal, state);
    if (!arguments.json) std::cout << "removed\n";
  }
  if (arguments.json) {
    std::cout << indented(to_json(pruning));
  }
  return ExitCode::done;
}

}  // namespace drydock
