#include "prune.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "error.h"
#include "recovery.h"
#include "stage_folders.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

bool goes_on_or_waits(const RunRecord& run) {
  return run.state == RunState::running || run.state == RunState::rolling_back ||
         run.state == RunState::stopped || run.state == RunState::needs_person;
}

bool is_rehearsal(const RunRecord& run) { return run.state == RunState::rehearsed; }

// When the run and all before it had ended. Runs come one after the other: one that seems to have
// ended earlier than one before it had a clock that was wrong, as one has that ended after now.
std::int64_t latest_end(std::int64_t before, const RunRecord& run, std::int64_t now) {
  const std::int64_t finished = utc_milliseconds(run.finished);
  return finished <= now ? std::max(before, finished) : before;
}

bool is_old(const RunRecord& run, std::int64_t ended, const PruneRule& rule, std::int64_t now) {
  if (!rule.older_than) return true;
  const std::int64_t finished = utc_milliseconds(run.finished);
  return finished != 0 && finished <= now && now - ended > rule.older_than->count();
}

std::vector<std::string> folders_of(const StateDir& state, std::uint64_t run) {
  return {state.run_files(run), state.logs(run)};
}

std::string snapshot_folder(const StateDir& state, std::uint64_t number) {
  return state.snapshots() + "/" + std::to_string(number);
}

std::vector<std::uint64_t> snapshots_in(const StateDir& state) {
  std::vector<std::uint64_t> numbers;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(state.snapshots(), none)) {
    if (const auto number = parse_number(entry.path().filename().string())) {
      numbers.push_back(*number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void remove_folder(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) return;
  throw Error("the folder " + folder + " of a removed run cannot be removed (" + error.message() +
                  "); check who owns it, then repeat `drydock history --prune`, which finishes it",
              ExitCode::needs_person);
}

std::vector<RunRecord> prunable_without(const std::set<std::uint64_t>& needed,
                                        const std::vector<RunRecord>& newest_first,
                                        const PruneRule& rule, std::int64_t now) {
  const auto last_standing = std::find_if(newest_first.begin(), newest_first.end(),
                                          [](const RunRecord& run) { return stands(run.state); });
  std::vector<RunRecord> result;
  bool older_one_stays = false;
  std::int64_t ended = 0;
  std::uint64_t newer_runs = 0, newer_rehearsals = 0;
  for (const RunRecord& run : newest_first) ++(is_rehearsal(run) ? newer_rehearsals : newer_runs);
  for (auto run = newest_first.rbegin(); run != newest_first.rend(); ++run) {
    // A rehearsal keeps nothing: those of a night must not push out the runs that do.
    const std::uint64_t newer = --(is_rehearsal(*run) ? newer_rehearsals : newer_runs);
    const bool last = last_standing != newest_first.end() && run->id == last_standing->id;
    ended = latest_end(ended, *run, now);
    const bool goes = newer >= rule.keep && is_old(*run, ended, rule, now) && !last &&
                      !goes_on_or_waits(*run) && !(stands(run->state) && older_one_stays) &&
                      needed.count(run->id) == 0;
    if (goes)
      result.push_back(*run);
    else
      older_one_stays = older_one_stays || stands(run->state);
  }
  return result;
}

// Of which runs the stages `restore` read the backups, by their options.
Needs needs_of(const std::vector<RunRecord>& runs, const Journal& journal, const StateDir& state) {
  Needs needs;
  for (const RunRecord& run : runs) {
    for (const StageRecord& stage : journal.stages(run.id)) {
      if (stage.uses != "restore" || !stage.options.is_object()) continue;
      const std::string from = stage.options.value("from", "");
      for (const RunRecord& other : runs) {
        if (from.rfind(state.run_files(other.id) + "/", 0) == 0) needs[run.id].insert(other.id);
      }
    }
  }
  return needs;
}

}  // namespace

std::vector<RunRecord> prunable_runs(const std::vector<RunRecord>& newest_first,
                                     const PruneRule& rule, std::int64_t now, const Needs& needs) {
  std::set<std::uint64_t> needed;
  for (;;) {
    const std::vector<RunRecord> result = prunable_without(needed, newest_first, rule, now);
    std::set<std::uint64_t> gone;
    for (const RunRecord& run : result) gone.insert(run.id);
    const std::size_t before = needed.size();
    for (const RunRecord& run : newest_first) {
      const auto of_run = needs.find(run.id);
      if (stands(run.state) && gone.count(run.id) == 0 && of_run != needs.end()) {
        needed.insert(of_run->second.begin(), of_run->second.end());
      }
    }
    if (needed.size() == before) return result;
  }
}

std::vector<SetAside> prunable_set_aside(const std::vector<SetAside>& all,
                                         const std::vector<RunRecord>& newest_first,
                                         const PruneRule& rule, std::int64_t now) {
  std::map<std::uint64_t, std::vector<SetAside>> by_run;
  for (const SetAside& aside : all) by_run[aside.run].push_back(aside);
  std::uint64_t newer = by_run.size();
  std::int64_t ended = 0;
  std::vector<SetAside> result;
  for (auto run = newest_first.rbegin(); run != newest_first.rend(); ++run) {
    ended = latest_end(ended, *run, now);
    const auto of_run = by_run.find(run->id);
    if (of_run == by_run.end()) continue;
    --newer;
    if (newer < rule.keep || !is_old(*run, ended, rule, now) || goes_on_or_waits(*run)) continue;
    result.insert(result.end(), of_run->second.begin(), of_run->second.end());
  }
  return result;
}

std::vector<std::uint64_t> prunable_snapshots(const std::vector<std::uint64_t>& snapshots,
                                              const std::vector<RunRecord>& kept) {
  std::set<std::uint64_t> ordered(snapshots.begin(), snapshots.end()), needed;
  if (!ordered.empty()) needed.insert(*ordered.rbegin());
  for (const RunRecord& run : kept) {
    needed.insert(run.id);
    const auto after = ordered.lower_bound(run.id);
    if (stands(run.state) && after != ordered.begin()) needed.insert(*std::prev(after));
  }
  std::vector<std::uint64_t> result;
  std::set_difference(ordered.begin(), ordered.end(), needed.begin(), needed.end(),
                      std::back_inserter(result));
  return result;
}

std::vector<std::string> prunable_pipelines(const std::vector<std::string>& folders,
                                            const std::vector<RunRecord>& kept) {
  std::vector<std::string> result;
  for (const std::string& folder : folders) {
    const std::string name = "/" + fs::path(folder).filename().string() + "/";
    const bool needed = std::any_of(kept.begin(), kept.end(), [&](const RunRecord& run) {
      return run.pipeline_file.find(name) != run.pipeline_file.npos;
    });
    if (!needed) result.push_back(folder);
  }
  return result;
}

Pruning plan_pruning(const Journal& journal, const StateDir& state, const PruneRule& rule,
                     std::int64_t now) {
  Pruning result;
  const std::vector<RunRecord> runs = journal.runs();
  const auto add = [&](std::uint64_t id, const std::optional<RunRecord>& record) {
    std::int64_t bytes = 0;
    for (const std::string& folder : folders_of(state, id)) bytes += bytes_below(folder);
    result.runs.push_back({id, record, bytes});
    result.bytes += bytes;
  };
  for (const std::uint64_t id : journal.removed_runs()) add(id, std::nullopt);
  std::set<std::uint64_t> gone;
  for (const RunRecord& run : prunable_runs(runs, rule, now, needs_of(runs, journal, state))) {
    add(run.id, run);
    gone.insert(run.id);
  }
  for (const RunRecord& run : runs) {
    if (gone.count(run.id) == 0) result.kept.push_back(run);
  }
  result.snapshots = prunable_snapshots(snapshots_in(state), result.kept);
  for (const std::uint64_t number : result.snapshots) {
    result.bytes += bytes_below(snapshot_folder(state, number));
  }
  result.pipelines = prunable_pipelines(paths_in(state.pipelines()), result.kept);
  for (const std::string& folder : result.pipelines) result.bytes += bytes_below(folder);
  for (SetAside& aside : set_aside(state, std::nullopt, "")) {
    if (gone.count(aside.run) == 0) continue;
    if (aside.file.empty()) result.set_aside.push_back(std::move(aside));  // files go with the run
  }
  return result;
}

Pruning plan_pruning_of_set_aside(const Journal& journal, const StateDir& state,
                                  const PruneRule& rule, std::int64_t now) {
  Pruning result;
  result.kept = journal.runs();
  result.set_aside = prunable_set_aside(set_aside(state, std::nullopt, ""), result.kept, rule, now);
  for (const SetAside& aside : result.set_aside) {
    if (!aside.file.empty()) result.bytes += aside.bytes.value_or(0);
  }
  return result;
}

void carry_out(const Pruning& pruning, Journal& journal, const StateDir& state) {
  std::vector<std::uint64_t> runs;
  for (const Pruning::Run& run : pruning.runs) {
    if (run.record) runs.push_back(run.id);
  }
  journal.remove_runs(runs);
  for (const Pruning::Run& run : pruning.runs) {
    for (const std::string& folder : folders_of(state, run.id)) remove_folder(folder);
  }
  for (const std::uint64_t number : pruning.snapshots) {
    remove_folder(snapshot_folder(state, number));
  }
  for (const std::string& folder : pruning.pipelines) remove_folder(folder);
  journal.forget_removed_runs();
}

}  // namespace drydock
