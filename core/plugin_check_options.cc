// Checks of what a stage makes of options that are missing, unknown or odd. Only its observe and
// plan are tried with them: they change nothing.
#include <algorithm>

#include "json_text.h"
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_check_fuzz.h"
#include "plugin_check_trial.h"
#include "sample_options.h"
#include "schema.h"
#include "schema_lookup.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

bool has_looks(const CheckedStage& stage) {
  const auto& steps = stage.type.description.steps;
  return steps.count(Step::observe) != 0 || steps.count(Step::plan) != 0;
}

bool is_bad_options_without_reason(const StepResult& result) {
  const Done* done = std::get_if<Done>(&result.outcome);
  return done != nullptr && done->status == Status::bad_options && done->reason.empty();
}

std::vector<std::string> required_options(const CheckedStage& stage) {
  std::vector<std::string> names;
  for (const json& name : stage.schema().value("required", json::array())) {
    names.push_back(name.get<std::string>());
  }
  return names;
}

// What a person who forgets one is told, before any code of the plugin runs.
Finding required_of(CheckedStage& stage) {
  if (!stage.unusable.empty()) return skip(full_stop("Not tried: " + stage.unusable));
  const std::vector<std::string> names = required_options(stage);
  if (names.empty()) return skip("It requires no option.");
  std::string told;
  for (const std::string& key : names) {
    json written = stage.options;
    for (const auto& [pointer, secret] : stage.secrets)
      written[json::json_pointer(pointer)] = secret;
    written.erase(key);
    const auto problem = check_schema(stage.schema(), written, [](const json&) { return false; });
    if (!problem) {
      return fail("Its schema accepts options without '" + key +
                  "', which it requires: a default for it makes that pointless.");
    }
    if (told.empty()) told = problem->sentence;
  }
  return pass("Options without what it requires are refused: " + full_stop(told));
}

// What Drydock refuses already; but a schema may be loosened one day. "Without 'file'", or where it
// requires nothing with the options as they are.
Finding missing_of(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_not_tried(bench, stage); !why.empty()) return skip(why);
  if (!has_looks(stage)) return skip("It has neither observe nor plan, and run is not tried.");
  const auto wrong = [&](Trial& trial, const std::string& when) -> std::optional<Finding> {
    const StepResult result = trial.perform(looks);
    if (std::holds_alternative<Crashed>(result.outcome)) {
      return fail(how_it_ended(result) + when + ": return BAD_OPTIONS with a reason.");
    }
    if (!is_bad_options_without_reason(result)) return std::nullopt;
    return fail(how_it_ended(result) + when +
                ": say with fail() which option, and what is allowed.");
  };
  for (const std::string& key : required_options(stage)) {
    Trial trial(bench, stage);
    trial.options.erase(key);
    trial.secrets.erase(pointer_to("", key));
    if (const auto found = wrong(trial, " where '" + key + "' was missing")) return *found;
  }
  if (!required_options(stage).empty()) {
    return pass(
        "Called without what it requires, it neither crashes nor refuses without a reason.");
  }
  Trial trial(bench, stage);
  if (const auto found = wrong(trial, "")) return *found;
  return skip("It requires no option.");
}

// With long texts cut, so that the others can be seen.
json for_people(json options) {
  constexpr std::size_t longest = 40;
  if (options.is_string() && options.get_ref<const std::string&>().size() > longest) {
    const std::string& text = options.get_ref<const std::string&>();
    return shorten(text, longest) + " (" + std::to_string(text.size()) + " bytes)";
  }
  if (options.is_structured()) {
    for (json& part : options) part = for_people(part);
  }
  return options;
}

Finding fuzzed_of(const CheckBench& bench, CheckedStage& stage) {
  if (!stage.hangs || !stage.hangs->empty()) return skip("Not tried: see 'steps'.");
  if (!has_looks(stage)) return skip("It has neither observe nor plan, and run is not tried.");
  const std::string seed = " (--seed " + std::to_string(bench.settings().seed) + ").";
  const std::vector<json> sets = odd_options(stage.schema(), stage.options, bench.settings().seed);
  Trial trial(bench, stage);
  // How far it comes with what fits is how much of it the odd ones can reach.
  const StepResult fitting = trial.perform(looks);
  for (const json& options : sets) {
    trial.options = options;
    const StepResult result = trial.perform(looks);
    if (std::holds_alternative<Done>(result.outcome)) continue;
    return fail(how_it_ended(result) + " with the options " + compact(for_people(options)) + seed);
  }
  if (!is_well(fitting)) {
    return skip("It came no further than with options that fit: " +
                full_stop(how_it_ended(fitting)));
  }
  return pass("Its observe and plan survived " + std::to_string(sets.size()) +
              " sets of odd options" + seed);
}

Finding required(CheckBench& bench) { return of_each_stage(bench, required_of); }
Finding missing(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return missing_of(bench, stage); });
}
Finding fuzzed(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return fuzzed_of(bench, stage); });
}

}  // namespace

std::vector<PluginCheck> option_checks() {
  return {
      {"required", "Options without a required one are refused, with a reason.", required},
      {"missing", "Called without a required option, it answers BAD_OPTIONS with a reason.",
       missing},
      {"fuzz", "Options that are unknown or odd crash neither observe nor plan.", fuzzed},
  };
}

}  // namespace drydock
