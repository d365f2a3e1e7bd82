// Checks of the steps as a run that goes well performs them, and of a cancel.
#include <algorithm>

#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_check_trial.h"
#include "schema_lookup.h"
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
StepResult perform_all(const CheckBench& bench, Trial& trial, CheckedStage& stage) {
  StepResult result;
  for (const auto& steps : whole_run) {
    if (steps.front() == Step::run && (stage.run_goes_on || bench.settings().without_run)) break;
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
  const StepResult result = perform_all(bench, trial, stage);
  if (const std::string what = what_broke_the_wire(result); !what.empty()) {
    return fail("In its step " + std::string(name_of(result.last)) + " it " + what +
                ": descriptor 3 is Drydock's, leave it alone.");
  }
  if (!is_well(result)) {
    return skip("Nothing else than Drydock's messages came over descriptor 3, as far as it got: " +
                full_stop(how_it_ended(result)));
  }
  return pass("Nothing but Drydock's own messages came over descriptor 3.");
}

// What never ran well has shown nothing, and that is no pass: it is what its author has to mend, or
// to say (--without-run).
Finding steps_of(const CheckBench& bench, CheckedStage& stage) {
  if (!stage.unusable.empty()) {
    if (schema_of(stage).verdict == Verdict::fail) return skip("Not tried: see 'schema'.");
    return fail(full_stop("It cannot be tried: " + stage.unusable));
  }
  const bool without_run = bench.settings().without_run;
  Trial trial(bench, stage);
  const StepResult result = perform_all(bench, trial, stage);
  if (!what_broke_the_wire(result).empty()) return skip("See 'wire'.");
  const std::string how = how_it_ended(result);
  if (is_fault(result) && !stage.run_goes_on) return fail(full_stop(how));
  // Once run has ended well, what it is to be tried with is no question any more.
  if (!is_well(result) && result.last > Step::run) return fail(full_stop(how));
  if (is_well(result)) {
    return without_run ? skip("Its observe and plan end well; its run is left out (--without-run).")
                       : pass("Each of its steps ends well.");
  }
  if (without_run) return skip(full_stop(how + "; its run is left out (--without-run)"));
  return fail(full_stop(how +
                        ", so what comes after was not shown: give options that work with --with "
                        "FILE, an example of a deployment with -C DIR, or --without-run where this "
                        "machine has not what it needs"));
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

// When a run is cancelled: as it begins, at its first and at a later note, and in the middle of its
// time, where it takes long enough for that.
std::vector<Trial::Interference> moments_to_cancel(const CheckBench& bench, CheckedStage& stage) {
  using std::chrono::milliseconds;
  std::vector<Trial::Interference> moments = {{.cancel_at_once = true}};
  if (stage.run_goes_on) {
    moments.push_back({.cancel_after = milliseconds(1000)});
    return moments;
  }
  Trial trial(bench, stage);
  trial.perform(looks);
  trial.perform({Step::run});
  if (trial.remembered > 0) moments.push_back({.cancel_at_note = 1});
  if (trial.remembered > 2) moments.push_back({.cancel_at_note = trial.remembered / 2 + 1});
  constexpr milliseconds long_enough{500};  // a worker is looked at ten times a second
  if (trial.took >= long_enough) moments.push_back({.cancel_after = trial.took / 2});
  return moments;
}

Finding cancelled_of(const CheckBench& bench, CheckedStage& stage) {
  // One that goes on for long is just what is to be cancelled; one that fails is not.
  const std::string why_not = stage.run_goes_on ? "" : why_no_run(bench, stage);
  if (!why_not.empty()) return skip(why_not);
  int times = 0;
  bool in_the_middle = false;
  for (const Trial::Interference& moment : moments_to_cancel(bench, stage)) {
    Trial trial(bench, stage);
    trial.perform(looks);
    const StepResult result = trial.perform({Step::run}, moment);
    const std::string when = moment.cancel_at_once ? "as it began"
                             : moment.cancel_at_note > 0
                                 ? "at its note " + std::to_string(moment.cancel_at_note)
                                 : "after " + format_duration(moment.cancel_after);
    if (trial.since_cancel >= check_patience().stop) {
      return fail("Its run, cancelled " + when + ", did not stop within " +
                  format_duration(check_patience().stop) +
                  ": ask call.throw_if_cancelled(), or poll call.cancel_fd().");
    }
    if (const std::string how = crash_of(result); !how.empty()) return fail(how);
    ++times;
    in_the_middle = in_the_middle || moment.cancel_after.count() > 0;
  }
  return pass("Its run stops in time: it was cancelled " +
              (times == 1   ? "as it began"
               : times == 2 ? "twice"
                            : std::to_string(times) + " times") +
              (in_the_middle ? ", also in the middle of its time." : "."));
}

bool fits_pattern(const std::string& pattern, const std::string& pointer) {
  std::size_t a = 0, b = 0;
  while (a < pattern.size() && b < pointer.size()) {
    const std::size_t a_end = std::min(pattern.find('/', a + 1), pattern.size());
    const std::size_t b_end = std::min(pointer.find('/', b + 1), pointer.size());
    const std::string_view word = std::string_view(pattern).substr(a, a_end - a);
    if (word != "/*" && word != std::string_view(pointer).substr(b, b_end - b)) return false;
    a = a_end;
    b = b_end;
  }
  return a == pattern.size() && b == pointer.size();
}

// Where the schema has secrets, at any depth; "*" stands for each item of a list and each name.
void find_secrets(const nlohmann::json& root, const nlohmann::json& raw, const std::string& at,
                  std::vector<std::string>& found, int depth = 0) {
  constexpr int deepest = 8;  // a schema may refer to itself
  const nlohmann::json& schema = follow_references(root, raw);
  if (depth > deepest || !schema.is_object()) return;
  if (schema.value("writeOnly", nlohmann::json(false)) == true) {
    found.push_back(at);
    return;
  }
  if (const auto* options = keyword(schema, "properties"); options != nullptr) {
    for (const auto& [key, option] : options->items()) {
      find_secrets(root, option, pointer_to(at, key), found, depth + 1);
    }
  }
  for (const char* inner : {"items", "additionalProperties"}) {
    if (const auto* each = keyword(schema, inner); each != nullptr) {
      find_secrets(root, *each, at + "/*", found, depth + 1);
    }
  }
  for (const char* choice : {"oneOf", "anyOf", "allOf"}) {
    if (const auto* list = keyword(schema, choice); list != nullptr && list->is_array()) {
      for (const auto& each : *list) find_secrets(root, each, at, found, depth + 1);
    }
  }
}

// Those of the schema's secrets that the trial has no value of, as a person would write them.
std::vector<std::string> secrets_without_value(const nlohmann::json& schema,
                                               const std::map<std::string, std::string>& secrets) {
  std::vector<std::string> places, without;
  find_secrets(schema, schema, "", places);
  for (const std::string& place : places) {
    const bool has_value = std::any_of(secrets.begin(), secrets.end(), [&](const auto& secret) {
      return fits_pattern(place, secret.first);
    });
    std::string shown = "'" + place.substr(std::min<std::size_t>(1, place.size())) + "'";
    std::replace(shown.begin(), shown.end(), '/', '.');
    if (!has_value) without.push_back(shown);
  }
  return without;
}

Finding secrets_of(const CheckBench& bench, CheckedStage& stage) {
  Trial trial(bench, stage);
  trial.secrets.merge(secret_markers(stage.schema(), bench.settings().seed, false));
  const std::vector<std::string> untold = secrets_without_value(stage.schema(), trial.secrets);
  if (trial.secrets.empty()) {
    return skip(untold.empty() ? "It has no secret option."
                               : "Its secret " + join(untold, ", ") +
                                     " has no value to look for: give one with --with FILE.");
  }
  Masker masker;
  for (const auto& [pointer, secret] : trial.secrets) {
    masker.add(pointer.substr(pointer.rfind('/') + 1), secret);
  }
  const StepResult result = perform_all(bench, trial, stage);
  for (const auto& [where, text] : trial.told) {
    if (!masker.contains_secret(text)) continue;
    return fail("A secret stands in " + where +
                ": keep it in memory, or in a 0600 file of call.private_dir().");
  }
  // What was not reached told nothing.
  if (!is_well(result)) return skip("Not shown: " + full_stop(how_it_ended(result)));
  if (bench.settings().without_run || stage.run_goes_on) return skip("Not shown: run did not end.");
  if (!untold.empty()) {
    return skip("Its secret " + join(untold, ", ") +
                " had no value to look for: give one with --with FILE.");
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
