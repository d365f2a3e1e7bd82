// rehearse: of a pipeline only what can be tried without changing anything, with the files that its
// other stages would bring.
#include <algorithm>

#include "commands.h"
#include "consent.h"
#include "lookup.h"
#include "named_pipeline.h"
#include "prepared_session.h"
#include "recovery.h"
#include "runner.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr auto mode = "rehearse";

// A stage type says so by its option `mode`.
bool can_be_rehearsed(const json& schema) {
  const auto modes = json::json_pointer("/properties/mode/enum");
  if (!schema.contains(modes)) return false;
  const json& allowed = schema.at(modes);
  return std::find(allowed.begin(), allowed.end(), mode) != allowed.end();
}

bool is_rehearsed(const StageSpec& stage) {
  return stage.with.is_object() && stage.with.value("mode", json()) == mode;
}

// Those that the pipeline rehearses itself, whatever their `when` says: it is asked for now. Where
// it has none, those that it would carry out in their usual mode.
Pipeline rehearsing(Pipeline pipeline, const PluginIndex& plugins) {
  std::vector<StageSpec*> able;
  bool rehearses = false;
  for (StageSpec& stage : pipeline.stages) {
    const json& schema = plugins.require(stage.uses, stage.place.text()).description.schema.json();
    if (!can_be_rehearsed(schema)) continue;
    if (is_rehearsed(stage)) {
      stage.when.clear();
      rehearses = true;
    }
    const json usual = schema.value(json::json_pointer("/properties/mode/default"), json());
    if (stage.with.value("mode", usual) == usual) able.push_back(&stage);
  }
  if (rehearses) return pipeline;
  if (able.empty()) {
    std::vector<std::string> types;
    for (const auto& [name, type] : plugins.stages()) {
      if (can_be_rehearsed(type.description.schema.json())) types.push_back(name);
    }
    throw Error("the pipeline " + pipeline.name + " has no stage that can be rehearsed" +
                (types.empty() ? "" : "; such are: " + join(types, ", ")));
  }
  for (StageSpec* stage : able) stage->with["mode"] = mode;
  return pipeline;
}

bool is_anything_to_rehearse(const Plan& plan) {
  return std::any_of(plan.stages.begin(), plan.stages.end(), [](const PlannedStage& stage) {
    return std::any_of(stage.changes.begin(), stage.changes.end(),
                       [](const PlannedChange& change) { return change.action != "keep"; });
  });
}

}  // namespace

ExitCode command_rehearse(const Arguments& arguments) {
  const std::string interruption = Lookup(arguments).interruption();
  if (!interruption.empty()) throw Error(interruption, ExitCode::busy);
  require_consent_possible(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  bench.worker().prepare();
  Pipeline pipeline = find_pipeline(arguments, bench.installation());
  const PluginIndex plugins = bench.plugins(pipeline);
  PreparedSession prepared(bench, rehearsing(std::move(pipeline), plugins),
                           PreparedSession::Lock::taken);
  Session& session = prepared.session();
  session.inputs.clear();  // it has planned files, which are gone with this process: no `resume`
  Journal journal(prepared.state().journal());
  journal.check();
  refuse_state_of_another_deployment(journal, session.deployment.dir, prepared.state());
  if (const auto interrupted = journal.unfinished_run()) {
    throw Error(
        describe_interruption(journal, *interrupted, session.deployment.dir, prepared.state()),
        ExitCode::busy);
  }
  Plan plan = Planner(session).plan_rehearsal(is_rehearsed);
  if (!is_anything_to_rehearse(plan)) {
    bench.print_document();
    return ExitCode::done;
  }
  if (!arguments.yes && !person_agrees("\nRehearse it now?", bench.cancellation())) {
    throw Error("not confirmed; nothing was changed");
  }
  const ExitCode code = Runner(session, journal).rehearse(std::move(plan));
  bench.print_document();
  return code;
}

}  // namespace drydock
