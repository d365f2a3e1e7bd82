#include "rollback.h"

#include <algorithm>

#include "error.h"
#include "options.h"
#include "planner.h"
#include "recovery.h"

namespace drydock {

using nlohmann::json;

void RollbackReport::add_problem(const std::string& what, const std::string& why) {
  const auto [known, is_new] = reasons_.emplace(why, problems.size());
  if (is_new) {
    problems.push_back(what + why);
  } else {
    std::string& text = problems[known->second];
    text.insert(text.size() - why.size(), ", " + what);
  }
}

Rollback::Rollback(Journal& journal, Worker& worker, Events& events, Masker& masker,
                   const StateDir& state, Deployment deployment, Scope scope, PluginFor plugin_for)
    : journal_(journal),
      events_(events),
      state_(state),
      deployment_(std::move(deployment)),
      scope_(std::move(scope)),
      plugin_for_(std::move(plugin_for)),
      performer_(worker, events, masker, state, &journal),
      question_(events) {}

RollbackReport Rollback::whole_run(std::uint64_t run, const std::string& reason) {
  performer_.while_it_works([this] { question_.ask_if_signalled(); });
  const Stages all = journal_.stages(run);
  count_ = static_cast<int>(all.size());
  Stages started, to_verify;
  for (const StageRecord& stage : all) {
    if (stage.final) continue;
    to_verify.push_back(stage);
    if (stage.attempt > 0) started.push_back(stage);
  }
  events_.emit("rollback.started", {{"reason", reason}, {"stages", started.size()}});
  const auto began = std::chrono::steady_clock::now();
  RollbackReport report;
  roll_back(run, started, report);
  for (const StageRecord& stage : to_verify) {
    verify(run, stage, journal_.facts(run, stage.position, Moment::before), report);
  }
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  events_.emit("rollback.finished", {{"status", report.verified() ? "verified" : "failed"},
                                     {"duration_ms", took.count()}});
  return report;
}

StepReport Rollback::look(std::uint64_t run, const StageRecord& stage, std::string& problem) {
  StepReport report;
  RollbackReport result;
  perform(run, stage, Step::observe, report, result);
  if (!result.problems.empty()) problem = result.problems.front();
  return report;
}

RollbackReport Rollback::one_stage(std::uint64_t run, int position,
                                   const std::vector<Fact>& before) {
  const Stages all = journal_.stages(run);
  count_ = static_cast<int>(all.size());
  const Stages alone(all.begin() + position, all.begin() + position + 1);
  if (alone.front().attempt == 0) return {};  // its plan failed, and nothing of it was started
  RollbackReport report;
  roll_back(run, alone, report);
  verify(run, alone.front(), before, report);
  return report;
}

void Rollback::roll_back(std::uint64_t run, const Stages& started, RollbackReport& result) {
  StepReport report;
  // First pass, backwards: what was started is stopped and removed, and files, tags and data are
  // put back.
  for (auto stage = started.rbegin(); stage != started.rend(); ++stage) {
    if (!stage->has(Step::rollback) && !stage->has(Step::settle)) {
      result.left.push_back(stage->key);
    } else if (perform(run, *stage, Step::rollback, report, result)) {
      note_end(run, *stage, StageState::rolled_back, "", report, result);
    }
  }
  // Second pass, forwards: what ran before is started again, from what has been put back. One
  // reverse pass would start the old containers on the new schema.
  for (const StageRecord& stage : started) {
    if (perform(run, stage, Step::settle, report, result)) {
      note_end(run, stage, StageState::settled, "", report, result);
    }
  }
}

StepRequest Rollback::request(std::uint64_t run, const StageRecord& stage, Step step) {
  StepRequest request = request_for(deployment_);
  request.plugin_identity = plugin_for_(stage);
  request.plugin_file = request.plugin_identity->path;
  request.stage_type = stage.uses;
  request.stage_id = stage.key;
  request.steps = {step};
  request.options = stage.options;
  request.secrets = resolve_secret_texts(stage.secret_texts, scope_);
  request.run_id = run;
  request.run_label = run_label(deployment_, run);
  request.attempt = stage.attempt;
  request.interrupted = stage.state == StageState::started;
  request.notes = journal_.notes(run, stage.position);
  // What undoes a cancelled run is not cancelled by the same request.
  request.cancellable = false;
  if (limited_) {
    const std::string without = command_for(deployment_.dir, state_.path(),
                                            "rollback " + std::to_string(run) + " --no-limits");
    request.memory = {stage.memory_limit, "`" + without + "` goes without it"};
  }
  if (step == Step::observe) {
    request.timeout = examination_timeout;
    return request;
  }
  request.private_dir = state_.backups(run, stage.key);
  make_private_dir(request.private_dir);
  // Killing a restore is worse than waiting for it: no timeout unless the pipeline set one.
  if (stage.rollback_timeout_ms > 0) {
    request.timeout = std::chrono::milliseconds(stage.rollback_timeout_ms);
  }
  return request;
}

// A failure is written down and the other stages are still rolled back. False: failed, or there is
// no such step.
bool Rollback::perform(std::uint64_t run, const StageRecord& stage, Step step, StepReport& report,
                       RollbackReport& result) {
  if (!stage.has(step)) return false;
  std::string failure;
  try {
    report = performer_.perform(
        request(run, stage, step),
        {stage.key, stage.name, stage.uses, stage.position + 1, count_, stage.position});
    if (report.ok()) return true;
    failure = events_.masker().mask(describe(report.result.outcome));
    const Done* done = std::get_if<Done>(&report.result.outcome);
    const bool crashed = std::holds_alternative<Crashed>(report.result.outcome);
    if ((done != nullptr && done->status == Status::no_memory) ||
        (crashed && limited_ && stage.memory_limit > 0)) {
      result.out_of_memory = true;
    }
  } catch (const Error& e) {
    failure = events_.masker().mask(e.what());
    events_.emit("log", {{"level", "error"}, {"text", failure}}, stage.key,
                 std::string(name_of(step)));
  }
  const std::string what = stage.key + ": " + std::string(name_of(step));
  const std::string why = " failed: " + failure;
  result.add_problem(what, why);
  result.not_put_back.insert(stage.key);
  if (step != Step::observe) note_end(run, stage, stage.state, what + why, report, result);
  return false;
}

// A journal that fails for one stage does not keep the others from being rolled back.
void Rollback::note_end(std::uint64_t run, const StageRecord& stage, StageState state,
                        const std::string& reason, const StepReport& report,
                        RollbackReport& result) {
  try {
    journal_.end_step(run, stage.position, state, reason, {}, report.artifacts);
  } catch (const Error& e) {
    result.problems.push_back(stage.key + ": its end could not be journaled: " + e.what());
  }
}

// "Rolled back" means that what each stage could have changed is equal to what it was: told by
// observing again, not by an exit code.
void Rollback::verify(std::uint64_t run, const StageRecord& stage, const std::vector<Fact>& before,
                      RollbackReport& result) {
  const bool must_return =
      std::any_of(before.begin(), before.end(), [](const Fact& fact) { return fact.must_return; });
  StepReport report;
  if (!must_return || !perform(run, stage, Step::observe, report, result)) return;
  journal_.save_facts(run, stage.position, Moment::after_rollback, report.facts);
  for (const FactDifference& difference :
       compare_facts(stage.key, masked(before, events_.masker()), report.facts)) {
    events_.emit("fact.differs",
                 {{"name", difference.name},
                  {"before", difference.before},
                  {"after", difference.after.value_or("")}},
                 stage.key, "observe");
    result.differences.push_back(difference.text());
    result.not_put_back.insert(stage.key);
  }
}

}  // namespace drydock
