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

Finding required_of(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_not_tried(bench, stage); !why.empty()) return skip(why);
  const json& schema = stage.schema();
  int tried = 0;
  const json required = schema.value("required", json::array());
  for (const json& name : required) {
    const std::string key = name.get<std::string>();
    json written = stage.options;
    for (const auto& [pointer, secret] : stage.secrets)
      written[json::json_pointer(pointer)] = secret;
    written.erase(key);
    if (!check_schema(schema, written, [](const json&) { return false; })) {
      return fail("Its schema accepts options without '" + key +
                  "', which it requires: a default for it makes that pointless.");
    }
    if (!has_looks(stage)) continue;
    // What Drydock refuses already; but a schema may be loosened one day.
    Trial trial(bench, stage);
    trial.options.erase(key);
    trial.secrets.erase(pointer_to("", key));
    const StepResult result = trial.perform(looks);
    ++tried;
    if (std::holds_alternative<Crashed>(result.outcome)) {
      return fail(how_it_ended(result) + " where '" + key +
                  "' was missing: return BAD_OPTIONS with a reason.");
    }
    if (is_bad_options_without_reason(result)) {
      return fail(how_it_ended(result) + " where '" + key +
                  "' was missing: say with fail() which option, and what is allowed.");
    }
  }
  if (required.empty()) {
    if (!has_looks(stage)) return skip("It requires no option.");
    const StepResult result = Trial(bench, stage).perform(looks);
    if (is_bad_options_without_reason(result)) {
      return fail(how_it_ended(result) +
                  ": say with fail() which option it misses, and what is allowed.");
    }
    return skip("It requires no option.");
  }
  return {Verdict::pass, tried == 0
                             ? "Its schema refuses options without what it requires."
                             : "Without what it requires it is refused, and does not crash."};
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
  for (const json& options : sets) {
    trial.options = options;
    const StepResult result = trial.perform(looks);
    if (std::holds_alternative<Done>(result.outcome)) continue;
    return fail(how_it_ended(result) + " with the options " + compact(for_people(options)) + seed);
  }
  return pass("Its observe and plan survived " + std::to_string(sets.size()) +
              " sets of odd options" + seed);
}

Finding required(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return required_of(bench, stage); });
}
Finding fuzzed(CheckBench& bench) {
  return of_each_stage(bench, [&](CheckedStage& stage) { return fuzzed_of(bench, stage); });
}

}  // namespace

std::vector<PluginCheck> option_checks() {
  return {
      {"required", "A required option that is missing is refused with a reason.", required},
      {"fuzz", "Options that are unknown or odd crash neither observe nor plan.", fuzzed},
  };
}

}  // namespace drydock
