// Checks of the steps as a run that goes well performs them, and of a cancel.
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_check_trial.h"
#include "secrets.h"
#include "text.h"

namespace drydock {
namespace {

// The stage's own fault, whatever the options were.
bool is_fault(const StepResult& result) {
  return !std::holds_alternative<Done>(result.outcome) || has_status(result, Status::bug);
}
const std::vector<std::vector<Step>> whole_run = {
    looks, {Step::run}, {Step::verify}, {Step::rollback}, {Step::settle}};

// The steps of a run and of its rollback, in their order, until one goes wrong.
StepResult perform_all(Trial& trial, CheckedStage& stage) {
  StepResult result;
  for (const auto& steps : whole_run) {
    if (steps.front() == Step::run && stage.run_goes_on) break;
    result = trial.perform(steps);
    if (!is_well(result)) break;
  }
  if (result.last == Step::run && std::holds_alternative<TimedOut>(result.outcome)) {
    stage.run_goes_on = true;
    stage.run_fails = how_it_ended(result);
  }
  return result;
}

Finding wire_of(const CheckBench& bench, CheckedStage& stage) {
  Trial trial(bench, stage);
  const StepResult result = perform_all(trial, stage);
  if (const std::string what = what_broke_the_wire(result); !what.empty()) {
    return fail("In its step " + std::string(name_of(result.last)) + " it " + what +
                ": descriptor 3 is Drydock's, leave it alone.");
  }
  return pass("Nothing but Drydock's own messages came over descriptor 3.");
}

Finding steps_of(const CheckBench& bench, CheckedStage& stage) {
  if (!stage.unusable.empty()) return skip(full_stop("Not tried: " + stage.unusable));
  Trial trial(bench, stage);
  const StepResult result = perform_all(trial, stage);
  if (!what_broke_the_wire(result).empty()) return skip("See 'wire'.");
  if (is_well(result)) return pass("Each of its steps ends well.");
  const std::string how = how_it_ended(result);
  if (is_fault(result) && !stage.run_goes_on) return fail(full_stop(how));
  return skip(full_stop(how + ": give options that work with --with FILE"));
}

Finding untouched_by(const CheckBench& bench, CheckedStage& stage) {
  std::vector<std::string> tried;
  for (const Step step : looks) {
    if (!stage.has(step)) continue;
    Trial trial(bench, stage);
    const StepResult result = trial.perform({step});
    const std::string name(name_of(step));
    if (const std::string changed = trial.changed(); !changed.empty()) {
      return fail("Its step " + name + " " + changed +
                  " in the deployment: what run would write belongs in call.planned_dir().");
    }
    if (is_well(result)) tried.push_back(name);
  }
  if (tried.empty()) return skip("Neither observe nor plan ended well.");
  return pass("The deployment was the same after " + join(tried, " and after ") + ".");
}

// How it crashed when it was cancelled; "": it did not.
std::string crash_of(const StepResult& result) {
  const Done* done = std::get_if<Done>(&result.outcome);
  // ProcessWorker's words, where a worker dies of itself after a cancel.
  const bool crashed = done != nullptr && done->reason.rfind("It crashed (", 0) == 0;
  return crashed ? done->reason : "";
}

Finding cancelled_of(const CheckBench& bench, CheckedStage& stage) {
  // At once, and in the middle: when it remembers first.
  for (const bool at_once : {true, false}) {
    if (!at_once && stage.run_goes_on) break;
    Trial trial(bench, stage);
    trial.perform(looks);
    const StepResult result =
        trial.perform({Step::run}, {.cancel_at_once = at_once, .cancel_at_note = !at_once});
    if (trial.since_cancel >= check_patience().stop) {
      return fail("Its run did not stop within " + format_duration(check_patience().stop) +
                  " after the cancel: ask call.throw_if_cancelled(), or poll call.cancel_fd().");
    }
    if (const std::string how = crash_of(result); !how.empty()) return fail(how);
  }
  return pass("Its run stops in time when it is cancelled.");
}

Finding secrets_of(const CheckBench& bench, CheckedStage& stage) {
  Trial trial(bench, stage);
  trial.secrets.merge(secret_markers(stage.schema(), bench.settings().seed, false));
  if (trial.secrets.empty()) return skip("It has no secret option.");
  Masker masker;
  for (const auto& [pointer, secret] : trial.secrets) {
    masker.add(pointer.substr(pointer.rfind('/') + 1), secret);
  }
  perform_all(trial, stage);
  for (const auto& [where, text] : trial.told) {
    if (!masker.contains_secret(text)) continue;
    return fail("A secret stands in " + where +
                ": keep it in memory, or in a 0600 file of call.private_dir().");
  }
  return pass("No log line, note, fact or plan of it holds a secret.");
}

Finding tried_of_each(CheckBench& bench, Finding (*check)(const CheckBench&, CheckedStage&)) {
  return of_each_stage(bench, [&](CheckedStage& stage) {
    const std::string why_not = why_not_tried(bench, stage);
    return why_not.empty() ? check(bench, stage) : skip(why_not);
  });
}

Finding wire(CheckBench& bench) { return tried_of_each(bench, wire_of); }
// Also of one that hangs: this says so.
Finding steps(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return steps_of(bench, stage); });
}
Finding untouched(CheckBench& bench) { return tried_of_each(bench, untouched_by); }
Finding cancelled(CheckBench& bench) { return tried_of_each(bench, cancelled_of); }
Finding secrets(CheckBench& bench) { return tried_of_each(bench, secrets_of); }

}  // namespace

std::vector<PluginCheck> step_checks() {
  return {
      {"steps", "All its steps end well with options that fit.", steps},
      {"wire", "It writes nothing on descriptor 3, over which its worker talks.", wire},
      {"looks", "observe and plan change nothing of the deployment.", untouched},
      {"cancel", "run stops in time when it is cancelled.", cancelled},
      {"secrets", "Its secrets stand in no log line, note, fact or plan.", secrets},
  };
}

}  // namespace drydock
