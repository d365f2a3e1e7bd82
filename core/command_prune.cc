// history --prune and backups prune: remove old runs with what they kept, or what restores have set
// aside.
#include <filesystem>
#include <iostream>

#include "claim.h"
#include "commands.h"
#include "consent.h"
#include "drop_set_aside.h"
#include "json_text.h"
#include "lookup.h"
#include "prune.h"
#include "text.h"
#include "utc_time.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::uint64_t usually_kept = 10;
constexpr int line_width = 80;

std::string counted(std::size_t count, const char* thing) {
  return count_of(static_cast<std::int64_t>(count), thing);
}

json to_json(const Pruning& pruning) {
  json removed = json::array(), kept = json::array(), pipelines = json::array();
  for (const Pruning::Run& run : pruning.runs) {
    removed.push_back({{"run", run.id},
                       {"pipeline", run.record ? json(run.record->pipeline) : json()},
                       {"bytes", run.bytes}});
  }
  for (const RunRecord& run : pruning.kept) kept.push_back(run.id);
  for (const std::string& folder : pruning.pipelines) {
    pipelines.push_back(std::filesystem::path(folder).filename().string());
  }
  return {{"removed", removed},     {"snapshots", pruning.snapshots},
          {"pipelines", pipelines}, {"set_aside", to_json(pruning.set_aside)},
          {"kept", kept},           {"bytes", pruning.bytes}};
}

std::string stay(const Pruning& pruning) {
  return counted(pruning.kept.size(), "run") + (pruning.kept.size() == 1 ? " stays" : " stay") +
         "\n";
}

void print_set_aside(const Pruning& pruning) {
  for (const SetAside& aside : pruning.set_aside) {
    for (const std::string& line : wrap(make_visible("run " + std::to_string(aside.run) + "  " +
                                                     aside.stage + "  " + describe(aside)),
                                        line_width, "", "  ")) {
      std::cout << line << "\n";
    }
  }
}

void print(const Pruning& pruning) {
  for (const Pruning::Run& run : pruning.runs) {
    const std::string what = run.record ? run.record->pipeline + "  " + run.record->started
                                        : "files that an interrupted removal left";
    std::cout << make_visible("run " + std::to_string(run.id) + "  " + what) << "  "
              << format_size(run.bytes) << "\n";
  }
  print_set_aside(pruning);
  if (pruning.empty()) {
    std::cout << "nothing to remove: " << stay(pruning);
    return;
  }
  const std::string sent =
      pruning.pipelines.empty()
          ? ""
          : counted(pruning.pipelines.size(), "pipeline") + " that rollouts have sent, ";
  const std::string aside =
      pruning.set_aside.empty()
          ? ""
          : counted(pruning.set_aside.size(), "database") + " that restores have set aside, ";
  std::cout << "to be removed: " << counted(pruning.runs.size(), "run")
            << " with logs and backups, " << counted(pruning.snapshots.size(), "snapshot") << ", "
            << sent << aside << format_size(pruning.bytes) << " in all; " << stay(pruning);
}

void print_only_set_aside(const Pruning& pruning) {
  print_set_aside(pruning);
  if (pruning.empty()) {
    std::cout << "nothing to remove: no ended run has anything set aside that may go\n";
    return;
  }
  std::cout << "to be removed: " << pruning.set_aside.size() << " set aside by restores, "
            << format_size(bytes_of(pruning.set_aside)) << " in all; " << stay(pruning);
}

}  // namespace

ExitCode command_prune(const Arguments& arguments) {
  mention_interruption(arguments);  // before the lock is ours
  Claim claim(arguments);
  const StateDir& state = claim.lookup.state;
  PruneRule rule;
  const bool only_set_aside = arguments.set_aside;
  rule.keep = arguments.keep.value_or(only_set_aside || arguments.older_than ? 0 : usually_kept);
  rule.older_than = arguments.older_than;
  const std::int64_t now = utc_milliseconds(utc_now());
  const Pruning pruning = only_set_aside
                              ? plan_pruning_of_set_aside(claim.journal, state, rule, now)
                              : plan_pruning(claim.journal, state, rule, now);
  if (!arguments.json) only_set_aside ? print_only_set_aside(pruning) : print(pruning);
  if (!pruning.empty()) {
    const char* const question =
        only_set_aside ? "What failed can no longer be looked at then. Go ahead?"
                       : "What is removed can no longer be shown or rolled back. Go ahead?";
    if (!arguments.yes && !person_agrees(question, claim.bench.cancellation())) {
      throw Error("not confirmed; nothing was removed");
    }
    drop_set_aside(claim.bench, claim.journal, claim.lookup.dir, state, pruning.set_aside);
    carry_out(pruning, claim.journal, state);
    if (!arguments.json) std::cout << "removed\n";
  }
  if (arguments.json) {
    std::cout << indented(to_json(pruning));
  }
  return ExitCode::done;
}

}  // namespace drydock
