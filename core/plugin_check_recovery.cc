// Checks of going back: without a run, and after a run that died at any of its notes.
#include <algorithm>

#include "planner.h"
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_check_trial.h"
#include "text.h"

namespace drydock {
namespace {

constexpr int most_deaths = 32;  // of a stage's run; each takes ten workers

// At which of its notes a run is killed: all of them, or of many the first, the last and some
// between.
std::vector<int> notes_to_die_at(int notes) {
  constexpr int first = most_deaths / 2, last = most_deaths / 4, some = most_deaths / 4;
  const int step = std::max(1, (notes - first - last + some - 1) / some);  // of those between
  std::vector<int> chosen;
  for (int note = 1; note <= notes; ++note) {
    const bool at_an_end = note <= first || note > notes - last;
    if (at_an_end || (note - first) % step == 0) chosen.push_back(note);
  }
  return chosen;
}

bool goes_back(const CheckedStage& stage) {
  return stage.has(Step::rollback) || stage.has(Step::settle);
}

// What is other than before, in words; "" when all is as it was. Where no fact has to return, the
// files have to.
std::string not_put_back(const Trial& trial, const std::vector<Fact>& before) {
  const auto differences = compare_facts("", before, trial.facts);
  if (!differences.empty()) return differences.front().text().substr(2);  // without the stage
  const bool has_facts =
      std::any_of(before.begin(), before.end(), [](const Fact& fact) { return fact.must_return; });
  const std::string changed = has_facts ? "" : trial.changed();
  return changed.empty() ? "" : "the run " + changed;
}

// Rollback, then settle, then a look, each in a process of its own. A finding where it goes wrong,
// or (a warning) where files are others although its facts are equal.
std::optional<Finding> go_back(Trial& trial, const std::vector<Fact>& before,
                               const std::string& when) {
  for (const Step step : {Step::rollback, Step::settle, Step::observe}) {
    const StepResult result = trial.perform({step});
    if (!result.ok()) return fail(how_it_ended(result) + " " + when + ".");
  }
  const std::string wrong = not_put_back(trial, before);
  if (!wrong.empty()) {
    return fail("Rolled back " + when + ", " + wrong +
                ": remember before each change, and go back from the notes alone.");
  }
  const std::string changed = trial.changed();
  if (changed.empty()) return std::nullopt;
  return Finding{Verdict::warn, "Rolled back " + when + ", its facts are equal, but the run " +
                                    changed +
                                    ": put that back too, or report a fact of it, unless it stays "
                                    "on purpose."};
}

Finding without_run_of(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_not_tried(bench, stage); !why.empty()) return skip(why);
  if (!goes_back(stage)) return skip("It has neither rollback nor settle.");
  Trial trial(bench, stage);
  if (!trial.perform({Step::observe}).ok()) return skip("Not tried: see 'steps'.");
  const std::vector<Fact> before = trial.facts;
  trial.look_again();
  const auto found = go_back(trial, before, "without a run");
  if (found && found->verdict == Verdict::fail) return *found;
  if (const std::string changed = trial.changed(); !changed.empty()) {
    return fail("Rolled back without a run, it " + changed + ": do nothing without notes.");
  }
  return pass("Its rollback and settle do nothing where nothing was run.");
}

// One run that dies there, or ends (note 0), and its rollback. Empty: it was undone.
std::optional<Finding> survives(const CheckBench& bench, CheckedStage& stage, int note,
                                bool durable) {
  Trial trial(bench, stage);
  trial.perform({Step::observe});
  const std::vector<Fact> before = trial.facts;
  trial.look_again();
  const StepResult ran =
      trial.perform({Step::run}, {.kill_at_note = note, .note_is_durable = durable});
  if (!trial.killed && (!ran.ok() || note != 0))
    return skip("Its run does not end the same each time.");
  const std::string when = note == 0 ? "after run had ended"
                                     : std::string("after run was killed ") +
                                           (durable ? "after" : "before") + " its note " +
                                           std::to_string(note);
  return go_back(trial, before, when);
}

Finding not_undone(const CheckBench& bench, CheckedStage& stage) {
  Trial trial(bench, stage);
  trial.perform({Step::run});
  const std::string changed = trial.changed();
  if (changed.empty()) {
    return skip("It has neither rollback nor settle, and its run changed no file.");
  }
  return {Verdict::warn,
          "Its run " + changed + ", and it has no rollback that would put that back."};
}

Finding killed_of(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_no_run(bench, stage); !why.empty()) return skip(why);
  if (!goes_back(stage)) return not_undone(bench, stage);
  int notes = 0;
  {
    Trial trial(bench, stage);
    trial.perform(looks);
    trial.perform({Step::run});
    notes = trial.remembered;
  }
  std::optional<Finding> worst;
  const auto die_at = [&](int note, bool durable) {
    if (worst && worst->verdict == Verdict::fail) return;
    auto found = survives(bench, stage, note, durable);
    if (found && (!worst || found->verdict > worst->verdict)) worst = std::move(found);
  };
  const std::vector<int> chosen = notes_to_die_at(notes);
  for (const int note : chosen) {
    die_at(note, false);
    die_at(note, true);
  }
  die_at(0, true);
  if (worst) return *worst;
  if (notes == 0) return pass("Its run remembers nothing, and is undone once it has ended.");
  const std::string where =
      notes == 1 ? "its note"
      : chosen.size() < static_cast<std::size_t>(notes)
          ? std::to_string(chosen.size()) + " of its " + std::to_string(notes) + " notes"
          : "each of its " + std::to_string(notes) + " notes";
  return pass("Its run is undone by other processes: killed before and after " + where +
              ", and ended.");
}

Finding without_run(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return without_run_of(bench, stage); });
}
Finding killed(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return killed_of(bench, stage); });
}

}  // namespace

std::vector<PluginCheck> recovery_checks() {
  return {
      {"no-run", "rollback and settle are harmless where nothing was run.", without_run},
      {"killed", "Killed at any note of run, rollback and settle put everything back.", killed},
  };
}

}  // namespace drydock
