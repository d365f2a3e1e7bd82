#include "planner.h"

#include <filesystem>
#include <map>
#include <set>

#include "error.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

// Stages in the order in which they run, each with a key that is unique in the run: its private
// folder is called so. The first of an id has the id itself, also where another one's number would
// make it.
std::vector<PlannedStage> lay_out(const Pipeline& pipeline, const PluginIndex& plugins) {
  std::vector<PlannedStage> stages;
  std::map<std::string, int> seen;
  std::set<std::string> keys;
  for (const auto* list : {&pipeline.stages, &pipeline.finally}) {
    for (const StageSpec& spec : *list) keys.insert(spec.id);
  }
  const auto add = [&](const StageSpec& spec, bool final) {
    PlannedStage stage;
    stage.spec = &spec;
    stage.type = &plugins.require(spec.uses, spec.place.text());
    stage.final = final;
    int& nth = seen[spec.id];
    do {
      stage.identity.key = ++nth == 1 ? spec.id : spec.id + "-" + std::to_string(nth);
    } while (nth > 1 && !keys.insert(stage.identity.key).second);
    stage.identity.name = nth == 1 || spec.name != spec.id ? spec.name : stage.identity.key;
    stage.identity.uses = spec.uses;
    stage.identity.position = static_cast<int>(stages.size());
    stage.identity.index = stage.identity.position + 1;
    stages.push_back(std::move(stage));
  };
  for (const StageSpec& spec : pipeline.stages) add(spec, false);
  for (const StageSpec& spec : pipeline.finally) add(spec, true);
  for (PlannedStage& stage : stages) stage.identity.count = static_cast<int>(stages.size());
  return stages;
}

json to_json(const PlannedChange& change) {
  json object = json::object();  // member by member: a list of them would be copied
  object["what"] = change.what;
  object["action"] = change.action;
  object["name"] = change.name;
  object["before"] = change.before;
  object["after"] = change.after;
  object["detail"] = change.detail;
  object["disk_bytes"] = change.disk_bytes;
  object["rollback_loses"] = change.rollback_loses;
  return object;
}

std::vector<FileIdentity> plugins_to_ask(const Plan& plan) {
  std::vector<FileIdentity> plugins;
  for (const PlannedStage& stage : plan.stages) {
    const auto& steps = stage.type->description.steps;
    const bool asked = steps.contains(Step::observe) || steps.contains(Step::plan);
    if (const auto plugin = stage.plugin(); asked && plugin) plugins.push_back(*plugin);
  }
  return plugins;
}

// That expressions in the value refer to, at any depth.
std::vector<std::string> secrets_named_in(const json& value, const Place& place) {
  constexpr std::string_view secrets = "secrets.";
  std::vector<std::string> names;
  if (value.is_string()) {
    for (const std::string& name : names_in(value.get<std::string>(), place)) {
      if (name.starts_with(secrets)) names.push_back(name.substr(secrets.size()));
    }
  } else if (value.is_structured()) {
    for (const json& each : value) {
      for (std::string& name : secrets_named_in(each, place)) names.push_back(std::move(name));
    }
  }
  return names;
}

}  // namespace

std::optional<FileIdentity> PlannedStage::plugin() const {
  if (!type->as_indexed) return std::nullopt;
  return type->as_indexed->identity;
}

Planner::Planner(Session& session)
    : session_(session),
      performer_(session.worker, session.events, session.masker, session.state, nullptr),
      planned_files_(session.planned_dir) {}

Plan Planner::laid_out() const { return {lay_out(session_.pipeline, session_.plugins), {}}; }

Plan Planner::plan(bool may_fetch) {
  Plan plan = laid_out();
  emit_started(plan.stages.size());
  read_secrets(plan);
  if (session_.pipeline.probe) plan.probe = plan_probe();
  session_.worker.expect(plugins_to_ask(plan));
  for (PlannedStage& stage : plan.stages) {
    refuse_when_cancelled();
    plan_stage(stage, may_fetch);
    emit_planned(stage);
  }
  emit_totals(plan);
  check_space(plan);
  return plan;
}

Plan Planner::plan_rehearsal(const std::function<bool(const StageSpec&)>& is_rehearsed) {
  Plan all = laid_out(), plan;
  int count = 0;
  for (PlannedStage& stage : all.stages) {
    stage.rehearsed = !stage.final && is_rehearsed(*stage.spec);
    if (stage.rehearsed) ++count;
  }
  emit_started(static_cast<std::size_t>(count));
  read_secrets(all);
  if (session_.pipeline.probe) plan.probe = plan_probe();
  for (PlannedStage& stage : all.stages) {
    if (static_cast<int>(plan.stages.size()) == count) break;
    refuse_when_cancelled();
    plan_stage(stage, true);
    if (!stage.rehearsed) continue;
    if (stage.state == PlannedStage::State::unknown) {
      throw Error("stage '" + stage.identity.key + "' (" + stage.spec->place.text() +
                  ") cannot be rehearsed, since it is only known " + stage.reason +
                  " (nothing was changed)");
    }
    stage.identity.position = static_cast<int>(plan.stages.size());
    stage.identity.index = stage.identity.position + 1;
    stage.identity.count = count;
    emit_planned(stage);
    plan.stages.push_back(std::move(stage));
  }
  emit_totals(plan);
  return plan;
}

void Planner::emit_started(std::size_t stages) {
  const Deployment& deployment = session_.deployment;
  session_.events.emit("plan.started", {{"pipeline", session_.pipeline.name},
                                        {"pipeline_file", session_.pipeline.file},
                                        {"deployment", deployment.dir},
                                        {"project", deployment.compose.project},
                                        {"compose_files", deployment.compose.files},
                                        {"engine", deployment.compose.engine},
                                        {"stages", stages},
                                        {"vars", masked_vars(session_.vars)}});
}

// Before the first stage is looked at: what a later one keeps secret may be in its facts. One that
// cannot be had is refused when its stage is planned; those of a stage with a condition are read
// when it holds.
void Planner::read_secrets(const Plan& plan) {
  for (const PlannedStage& stage : plan.stages) {
    if (!stage.spec->when.empty()) continue;
    try {
      for (const std::string& name : secrets_named_in(stage.spec->with, stage.spec->place)) {
        session_.secrets.get(name);
      }
    } catch (const Error&) {
    }
  }
}

void Planner::refuse_when_cancelled() const {
  if (!session_.cancellation.requested()) return;
  throw Error("cancelled while planning; nothing was changed", ExitCode::cancelled);
}

// Half a backup is none, and a run whose journal cannot be written needs a person: both are refused
// while everything still runs.
void Planner::check_space(const Plan& plan) const {
  constexpr std::int64_t for_records = 16'000'000;  // SQLite's log alone grows to 4 MB
  std::int64_t saved = 0;
  for (const PlannedStage& stage : plan.stages) {
    for (const PlannedChange& change : stage.changes) {
      if (change.action == "save" && change.disk_bytes > 0) saved += change.disk_bytes;
    }
  }
  // The state folder may still have to be made.
  std::filesystem::path folder = session_.state.path();
  std::error_code none;
  while (!std::filesystem::exists(folder, none) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  const std::filesystem::space_info disk = std::filesystem::space(folder, none);
  if (none || saved + for_records <= static_cast<std::int64_t>(disk.available)) return;
  throw Error(
      "what the stages would save may need " + format_size(saved) + ", the journal and the logs " +
      format_size(for_records) + ", and " + folder.string() + " has " +
      format_size(static_cast<std::int64_t>(disk.available)) +
      " free; make room, or put the state elsewhere with --state-dir (nothing was changed)");
}

// It is refused now and not in the middle of a run.
PlannedStage Planner::plan_probe() {
  PlannedStage probe;
  probe.spec = &*session_.pipeline.probe;
  probe.type = &session_.plugins.require(probe.spec->uses, probe.spec->place.text());
  probe.identity = {probe.spec->id, probe.spec->name, probe.spec->uses};
  plan_stage(probe, false);
  if (probe.resolved) return probe;
  throw Error(probe.spec->place.text() + ": 'probe:' needs a value that is only known " +
              probe.reason + ", and it begins before the first stage; use vars, env or before.env");
}

void Planner::plan_stage(PlannedStage& stage, bool may_fetch) {
  const Scope scope = scope_of(session_, planned_env_file(), json::object());
  if (!resolve(stage, scope)) return;
  StepRequest base = request_for(session_.deployment);
  base.planned_dir = session_.planned_dir;
  base.planning_dir = session_.planning_dir;
  const StepReport report = examine(stage, base, performer_, may_fetch);
  planned_files_.planned(stage.identity.position);
  if (!report.ok() && stage.state != PlannedStage::State::unknown) {
    const Done* done = std::get_if<Done>(&report.result.outcome);
    const bool cancelled = done != nullptr && done->status == Status::cancelled;
    throw Error("stage '" + stage.identity.key + "' (" + stage.spec->place.text() + ") could not " +
                    std::string(name_of(report.result.last)) + ": " +
                    session_.masker.mask(describe(report.result.outcome)) +
                    " (nothing was changed)",
                cancelled ? ExitCode::cancelled : ExitCode::refused);
  }
  // What a stage promises now, later stages' plans may use; the rest is known once it has run.
  for (const Output& output : report.outputs) {
    if (!output.planned) continue;
    session_.outputs[stage.spec->id][output.name] = Value{output.value, "", output.secret};
  }
}

bool Planner::resolve(PlannedStage& stage, const Scope& scope) {
  const StageSpec& spec = *stage.spec;
  stage.state = PlannedStage::State::planned;
  stage.reason.clear();
  if (!spec.when.empty()) {
    const Value condition = evaluate_condition(spec.when, scope, spec.when_place);
    if (!condition.unknown.empty()) {
      stage.state = PlannedStage::State::unknown;
      stage.reason = condition.unknown;
      return false;
    }
    if (condition.value != true) {
      stage.state = PlannedStage::State::skipped;
      stage.reason = "when: " + spec.when;
      return false;
    }
  }
  stage.options = resolve_options(spec, stage.type->description.schema.json(), scope);
  if (!stage.options.unknown.empty()) {
    stage.state = PlannedStage::State::unknown;
    stage.reason = stage.options.unknown.begin()->second;
    return false;
  }
  stage.resolved = true;
  return true;
}

void address(StepRequest& request, const PlannedStage& stage) {
  request.plugin_file = stage.type->plugin_file;
  request.plugin_identity = stage.plugin();
  request.stage_type = stage.type->description.name;
  request.stage_id = stage.identity.key;
  request.options = stage.options.values;
  request.secrets = stage.options.secrets;
  request.memory = {stage.spec->memory_limit, "raise it in the pipeline if the stage needs more"};
}

StepReport Planner::examine(PlannedStage& stage, const StepRequest& base, StepPerformer& performer,
                            bool may_fetch) {
  StepRequest request = base;
  address(request, stage);
  request.may_fetch = may_fetch;
  request.timeout = stage.spec->timeout.value_or(examination_timeout);
  // A `finally` stage changes nothing that a rollback would have to put back.
  if (stage.has(Step::observe) && !stage.final) request.steps.push_back(Step::observe);
  if (stage.has(Step::plan)) request.steps.push_back(Step::plan);
  StepReport report;
  if (request.steps.empty()) {
    report.result = {Step::plan, Done{}};
    return report;
  }
  report = performer.perform(request, stage.identity);
  stage.facts = report.facts;
  stage.observed = request.steps.front() == Step::observe &&
                   (report.ok() || report.result.last != Step::observe);
  stage.changes = report.changes;
  stage.inputs.clear();
  for (const std::string& path : report.inputs) {
    stage.inputs.push_back(planned_files_.input(path, session_.deployment.dir));
  }
  const Done* done = std::get_if<Done>(&report.result.outcome);
  if (done != nullptr && done->status == Status::unknown && report.result.last == Step::plan) {
    stage.state = PlannedStage::State::unknown;
    stage.reason = done->reason;
  }
  return report;
}

StepReport Planner::observe(const PlannedStage& stage) {
  StepRequest request = request_for(session_.deployment);
  address(request, stage);
  request.timeout = examination_timeout;
  request.steps = {Step::observe};
  return performer_.perform(request, stage.identity);
}

std::vector<std::string> Planner::stale_facts(const Plan& plan) {
  std::vector<std::string> differences;
  for (const PlannedStage& stage : plan.stages) {
    if (!stage.observed) continue;
    const StepReport report = observe(stage);
    if (!report.ok()) {
      differences.push_back(stage.identity.key + ": " + describe(report.result.outcome));
      continue;
    }
    for (const FactDifference& difference :
         compare_facts(stage.identity.key, masked(stage.facts, session_.masker), report.facts)) {
      differences.push_back(difference.text());
    }
  }
  return differences;
}

std::string Planner::planned_env_file() const {
  const std::string planned = session_.planned_dir + "/.env";
  return std::filesystem::exists(planned) ? planned : session_.deployment.dir + "/.env";
}

void Planner::emit_planned(const PlannedStage& stage) {
  constexpr std::array<const char*, 3> states = {"planned", "skipped", "unknown"};
  json changes = json::array();
  for (const PlannedChange& change : stage.changes) changes.push_back(to_json(change));
  json planned = {{"name", stage.identity.name},
                  {"uses", stage.identity.uses},
                  {"index", stage.identity.index},
                  {"count", stage.identity.count},
                  {"state", states[static_cast<std::size_t>(stage.state)]},
                  {"reason", stage.reason},
                  {"has_rollback", stage.can_roll_back()},
                  {"final", stage.final}};
  planned["changes"] = std::move(changes);  // hundreds, which a list of members would copy
  if (stage.spec->block != 0) planned["parallel"] = stage.spec->block;
  session_.events.emit("stage.planned", std::move(planned), stage.identity.key);
}

void Planner::emit_totals(const Plan& plan) {
  std::size_t changes = 0;
  std::int64_t disk_bytes = 0;
  json unknown = json::array(), loses = json::array();
  for (const PlannedStage& stage : plan.stages) {
    if (stage.state == PlannedStage::State::unknown) unknown.push_back(stage.identity.key);
    for (const PlannedChange& change : stage.changes) {
      if (change.action != "keep" && change.what != partial_rollback) ++changes;
      if (change.disk_bytes < 0 || disk_bytes < 0)
        disk_bytes = -1;
      else
        disk_bytes += change.disk_bytes;
      if (!change.rollback_loses.empty()) loses.push_back(change.rollback_loses);
    }
  }
  json finished = {{"changes", changes},
                   {"disk_bytes", disk_bytes},
                   {"unknown_stages", unknown},
                   {"loses", loses}};
  if (plan.probe) {
    for (const PlannedChange& check : plan.probe->changes) finished["probe"] = check.name;
  }
  session_.events.emit("plan.finished", std::move(finished));
}

std::string FactDifference::text() const {
  constexpr std::size_t shown = 60;
  if (is_fingerprint(before) && after && is_fingerprint(*after)) {
    return stage + ": " + name + " is another one than before";
  }
  return stage + ": " + name + " was " + shorten(before, shown) +
         (after ? " and is " + shorten(*after, shown) : " and is not reported any more");
}

std::vector<Fact> masked(std::vector<Fact> facts, const Masker& masker) {
  for (Fact& fact : facts) fact.value = masker.mask(std::move(fact.value));
  return facts;
}

std::vector<FactDifference> compare_facts(const std::string& stage, const std::vector<Fact>& before,
                                          const std::vector<Fact>& after) {
  // Of a name that was reported again the last counts.
  std::map<std::string, std::string> now;
  std::map<std::string, const Fact*> was;
  for (const Fact& fact : after) now[fact.name] = fact.value;
  for (const Fact& fact : before) was[fact.name] = &fact;
  std::vector<FactDifference> differences;
  for (const Fact& fact : before) {
    const auto found = now.find(fact.name);
    if (!fact.must_return || was[fact.name] != &fact ||
        (found != now.end() && found->second == fact.value)) {
      continue;
    }
    differences.push_back({stage, fact.name, fact.value,
                           found == now.end() ? std::nullopt : std::optional(found->second)});
  }
  return differences;
}

}  // namespace drydock
