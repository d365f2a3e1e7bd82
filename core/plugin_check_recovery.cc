// Checks of going back: without a run, and after a run that died at any of its notes.
#include <algorithm>

#include "planner.h"
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_check_trial.h"
#include "text.h"

namespace drydock {
namespace {

constexpr int most_deaths = 32;  // of a stage; each takes five workers

bool goes_back(const CheckedStage& stage) {
  return stage.has(Step::rollback) || stage.has(Step::settle);
}

// What is other than before, in words; "" when all is as it was.
std::string not_put_back(const Trial& trial, const std::vector<Fact>& before) {
  const auto differences = compare_facts("", before, trial.facts);
  if (!differences.empty()) return differences.front().text().substr(2);  // without the stage
  // Where no fact has to return, the files have to.
  const bool has_facts =
      std::any_of(before.begin(), before.end(), [](const Fact& fact) { return fact.must_return; });
  if (has_facts) return "";
  const std::string changed = trial.changed();
  return changed.empty() ? "" : "the run " + changed;
}

// Rollback, then settle, then a look, each in a process of its own. A finding where it goes wrong.
std::optional<Finding> go_back(Trial& trial, const std::vector<Fact>& before,
                               const std::string& when) {
  for (const Step step : {Step::rollback, Step::settle, Step::observe}) {
    const StepResult result = trial.perform({step});
    if (!result.ok()) return fail(how_it_ended(result) + " " + when + ".");
  }
  const std::string wrong = not_put_back(trial, before);
  if (wrong.empty()) return std::nullopt;
  return fail("Rolled back " + when + ", " + wrong +
              ": remember before each change, and go back from the notes alone.");
}

Finding without_run_of(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_not_tried(bench, stage); !why.empty()) return skip(why);
  if (!goes_back(stage)) return skip("It has neither rollback nor settle.");
  Trial trial(bench, stage);
  if (!trial.perform({Step::observe}).ok()) return skip("Not tried: see 'steps'.");
  const std::vector<Fact> before = trial.facts;
  trial.look_again();
  if (auto found = go_back(trial, before, "without a run")) return *found;
  if (const std::string changed = trial.changed(); !changed.empty()) {
    return fail("Rolled back without a run, it " + changed + ": do nothing without notes.");
  }
  return pass("Its rollback and settle do nothing where nothing was run.");
}

// One run that dies there, and its rollback. Empty: it was undone, and `died` says whether it died.
std::optional<Finding> survives(const CheckBench& bench, CheckedStage& stage, int note,
                                bool durable, bool& died) {
  Trial trial(bench, stage);
  trial.perform({Step::observe});
  const std::vector<Fact> before = trial.facts;
  trial.look_again();
  const StepResult ran =
      trial.perform({Step::run}, {.kill_at_note = note, .note_is_durable = durable});
  died = trial.killed;
  if (!died && !ran.ok()) return skip("Its run does not end the same each time.");
  const std::string when = !died ? "after run had ended"
                                 : std::string("after run was killed ") +
                                       (durable ? "after" : "before") + " its note " +
                                       std::to_string(note);
  return go_back(trial, before, when);
}

Finding not_undone(const CheckBench& bench, CheckedStage& stage) {
  Trial trial(bench, stage);
  trial.perform({Step::run});
  const std::string changed = trial.changed();
  if (changed.empty()) return skip("It has neither rollback nor settle.");
  return {Verdict::warn,
          "Its run " + changed + ", and it has no rollback that would put that back."};
}

Finding killed_of(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_no_run(bench, stage); !why.empty()) return skip(why);
  if (!goes_back(stage)) return not_undone(bench, stage);
  int notes = 0;
  // The last round is the one that no note ends.
  for (bool died = true; died && notes <= most_deaths; ++notes) {
    for (const bool durable : {false, true}) {
      if (auto found = survives(bench, stage, notes + 1, durable, died)) return *found;
    }
  }
  if (notes == 1) return pass("Its run remembers nothing, and is undone once it has ended.");
  return pass("Its run is undone by other processes: killed before and after " +
              (notes == 2 ? std::string("its note")
                          : "each of its " + std::to_string(notes - 1) + " notes") +
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
