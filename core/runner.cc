#include "runner.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "ending.h"
#include "files.h"
#include "parallel_block.h"
#include "plan_record.h"
#include "recovery.h"
#include "temporary_dir.h"
#include "view.h"

namespace drydock {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// The stages but those of `finally` and those that have ended, each with those that run at the same
// time.
std::vector<std::vector<PlannedStage*>> in_order(Plan& plan) {
  std::vector<std::vector<PlannedStage*>> order;
  unsigned block = 0;
  for (PlannedStage& stage : plan.stages) {
    if (stage.final) break;
    if (stage.ended) continue;
    if (stage.spec->block == 0 || stage.spec->block != block) order.emplace_back();
    block = stage.spec->block;
    order.back().push_back(&stage);
  }
  return order;
}

bool has_final_stages(const Plan& plan) {
  return std::any_of(plan.stages.begin(), plan.stages.end(),
                     [](const PlannedStage& stage) { return stage.final; });
}

// Those of a block have workers of their own.
std::vector<FileIdentity> plugins_to_work(const Plan& plan) {
  std::vector<FileIdentity> plugins;
  for (const PlannedStage& stage : plan.stages) {
    const auto plugin = stage.plugin();
    if (!plugin || stage.ended || stage.spec->block != 0 ||
        stage.state == PlannedStage::State::skipped) {
      continue;
    }
    plugins.push_back(*plugin);
    if (stage.has(Step::verify)) plugins.push_back(*plugin);
  }
  return plugins;
}

// `drydock cancel`, from another process: a file, because a pid may be somebody else's by the time
// a signal reaches it.
class CancelRequests : public EventSink {
 public:
  CancelRequests(std::string file, Cancellation& cancellation)
      : file_(std::move(file)), cancellation_(cancellation) {}
  void event(const Event&) override { idle(); }
  void idle() override {
    if (!cancellation_.requested() && ::access(file_.c_str(), F_OK) == 0) cancellation_.request();
  }

 private:
  std::string file_;
  Cancellation& cancellation_;
};

}  // namespace

Runner::Runner(Session& session, Journal& journal)
    : session_(session),
      journal_(journal),
      planner_(session),
      rollback_plugins_(session.plugin_folders, session.worker),
      performer_(session.worker, session.events, session.masker, session.state, &journal) {}

Runner::~Runner() {
  if (log_) session_.events.remove(*log_);
  if (cancel_requests_) session_.events.remove(*cancel_requests_);
}

ExitCode Runner::run(Plan plan) {
  const auto began = SteadyClock::now();
  session_.worker.expect(plugins_to_work(plan));
  try {
    open_run(plan);
    if (plan.probe) meter_ = std::make_unique<DowntimeMeter>(session_, *plan.probe, run_);
  } catch (const std::exception&) {
    close_unbegun_run();
    throw;
  }
  return to_its_end(plan, began);
}

ExitCode Runner::rehearse(Plan plan) {
  rehearsal_ = true;
  return run(std::move(plan));
}

ExitCode Runner::resume(Plan plan, const RunRecord& record) {
  const auto began = SteadyClock::now();
  run_ = record.id;
  // A cancel that came before the interruption is no wish of now.
  ::unlink(session_.state.cancel_request(run_).c_str());
  journal_.set_run_state(run_, RunState::running, "", "", "");
  std::string stage;
  for (const PlannedStage& each : plan.stages) {
    if (!each.ended && stage.empty()) stage = each.identity.key;
    // Who raised it because a stage had too little has raised it for the rollback, too.
    journal_.set_memory_limit(run_, each.identity.position, each.spec->memory_limit);
  }
  session_.worker.expect(plugins_to_work(plan));
  tell_of_run(last_seq_of(session_.state.logs(run_)), stage);
  return to_its_end(plan, began);
}

ExitCode Runner::to_its_end(Plan& plan, SteadyClock::time_point began) {
  try {
    return bring_to_an_end(plan, carry_out(plan), began);
  } catch (const std::exception& e) {
    // Something was changed, and the journal could not be told how it ended (a full disk).
    const std::string number = std::to_string(run_);
    throw Error(
        "run " + number + " could not be brought to an end: " + session_.masker.mask(e.what()) +
            "; mend that, then put everything back with: " +
            command_for(session_.deployment.dir, session_.state.path(), "rollback " + number),
        ExitCode::needs_person);
  }
}

ExitCode Runner::bring_to_an_end(Plan& plan, const std::optional<Failure>& failure,
                                 SteadyClock::time_point began) {
  Ending ending;
  const bool put_back = session_.pipeline.rollback_on_failure || rehearsal_;
  if (failure && (put_back || failure->cancelled)) {
    ending = rolled_back_ending(roll_back(*failure), failure->cancelled);
    ending.data_lost = what_is_lost(journal_.stages(run_));
  } else if (failure) {
    ending.state = RunState::stopped;
    ending.code = ExitCode::needs_person;
    journal_.set_run_state(run_, ending.state, failure->stage, failure->step, failure->reason);
  } else if (!not_put_back_.empty()) {
    ending.state = RunState::needs_person;
    ending.code = ExitCode::needs_person;
    ending.rollback.problems = not_put_back_;
  } else if (rehearsal_) {
    ending.state = RunState::rehearsed;
    ending.rehearsal = rehearsal_findings(plan);
  } else {
    keep_snapshot();
  }
  if (failure) {
    ending.failed_stage = failure->stage;
    ending.failed_step = failure->step;
    ending.reason = failure->reason;
  }
  // The upgrade's fate is sealed: a kill from here on leaves nothing to put back.
  const bool goes_on = meter_ != nullptr || has_final_stages(plan);
  journal_.set_run_state(run_, ending.state, ending.failed_stage, ending.failed_step, ending.reason,
                         !goes_on);
  ending.sealed = true;
  if (meter_) ending.downtime = meter_->finish();
  run_finally(plan, std::string(name_of(ending.state)), failure);
  ending.duration = std::chrono::duration_cast<milliseconds>(SteadyClock::now() - began);
  finish_run(journal_, session_.events, session_.deployment, session_.state, run_, ending);
  return ending.code;
}

// What later runs compare the operator's edits with. An upgrade that went well has not failed
// because one of the files cannot be read.
void Runner::keep_snapshot() {
  try {
    take_snapshot(session_.deployment, session_.state.snapshots() + "/" + std::to_string(run_));
  } catch (const std::exception& e) {
    session_.events.emit(
        "warning",
        {{"text", "no snapshot was taken of the files as they are now: " + std::string(e.what())}});
  }
}

// Before anything changes, the journal holds what a rollback needs: order, options, plugins, the
// facts that must return and the Compose model.
void Runner::open_run(const Plan& plan) {
  std::map<int, std::vector<Fact>> facts;
  for (const PlannedStage& stage : plan.stages) facts[stage.identity.position] = stage.facts;
  run_ = journal_.create_run(record_of(session_), records_of(plan), facts);
  make_private_dir(session_.state.run_files(run_));
  if (!session_.deployment.model_before.empty()) {
    const std::string kept = session_.state.model_before(run_);
    write_file_atomically(kept, read_file(session_.deployment.model_before, largest_model));
    session_.deployment.model_before = kept;
  }
  const std::string env = session_.deployment.dir + "/.env";
  if (has_dot_env(env)) {
    write_file_atomically(session_.state.env_before(run_), read_file(env, largest_model));
  }
  tell_of_run(0, "");
}

// To the run's own log as well, from here on. `goes_on_with`: the stage, when the run is resumed.
void Runner::tell_of_run(std::uint64_t last_seq, const std::string& goes_on_with) {
  session_.events.set_run(run_, last_seq);
  make_private_dir(session_.state.logs(run_));
  log_ = make_run_log(session_.state.logs(run_));
  session_.events.add(*log_);
  cancel_requests_ =
      std::make_unique<CancelRequests>(session_.state.cancel_request(run_), session_.cancellation);
  session_.events.add(*cancel_requests_);
  json data = {{"pipeline", session_.pipeline.name},
               {"pipeline_file", session_.pipeline.file},
               {"deployment", session_.deployment.dir},
               {"project", session_.deployment.compose.project},
               {"log_dir", session_.state.logs(run_)}};
  if (!goes_on_with.empty()) data["goes_on_with"] = goes_on_with;
  session_.events.emit("run.started", std::move(data));
}

// Nothing was changed, so that nothing waits for a rollback. Where the journal itself cannot be
// written, the run stays as one that was interrupted before its first stage.
void Runner::close_unbegun_run() {
  if (run_ == 0) return;
  try {
    journal_.abandon_run(run_, static_cast<int>(ExitCode::refused));
  } catch (const Error&) {
  }
}

// Every stage in order, those of a block at once, until one fails for good.
std::optional<Runner::Failure> Runner::carry_out(Plan& plan) {
  for (const std::vector<PlannedStage*>& next : in_order(plan)) {
    PlannedStage& stage = *next.front();
    if (session_.cancellation.requested()) {
      return Failure{stage.identity.key, "run", "cancelled before it began", true};
    }
    try {
      if (stage.spec->block != 0) {
        if (const std::optional<Failure> failure = carry_out(next)) return failure;
      } else if (const std::optional<Failure> failure = carry_out(stage)) {
        if (!goes_on_without(stage, *failure)) return failure;
      }
    } catch (const RollbackCutOff&) {
      throw;
    } catch (const std::exception& e) {
      // No failure of our own (a full disk under the journal) leaves the upgrade half done.
      return Failure{stage.identity.key, "run", session_.masker.mask(e.what()),
                     session_.cancellation.requested()};
    }
  }
  return std::nullopt;
}

std::optional<Runner::Failure> Runner::carry_out(PlannedStage& stage) {
  const std::optional<Failure> failure = begin(stage);
  if (failure || stage.state == PlannedStage::State::skipped) return failure;
  return attempt(stage);
}

// Options are resolved before the first of them runs, and outputs are visible after the last: the
// stages of a block know nothing of one another.
std::optional<Runner::Failure> Runner::carry_out(const std::vector<PlannedStage*>& block) {
  std::vector<PlannedStage*> begun;
  for (PlannedStage* stage : block) {
    const std::optional<Failure> failure = begin(*stage);
    if (!failure) {
      if (stage->state != PlannedStage::State::skipped) begun.push_back(stage);
    } else if (!goes_on_without(*stage, *failure)) {
      for (PlannedStage* other : begun) {
        not_begun(*other, {other->identity.key, "run", "cancelled before it began", true});
      }
      return failure;
    }
  }
  ParallelBlock at_once(session_, journal_, run_);
  std::vector<StageEnd> ends = at_once.carry_out(begun);
  if (at_once.failure()) return at_once.failure();
  for (std::size_t i = 0; i < begun.size(); ++i) {
    if (ends[i].failure) {
      goes_on_without(*begun[i], *ends[i].failure);
    } else {
      session_.outputs[begun[i]->spec->id] = std::move(ends[i].outputs);
    }
  }
  return std::nullopt;
}

// Up to its run: its options, a plan that had unknowns, and what it must leave as it was.
std::optional<Runner::Failure> Runner::begin(PlannedStage& stage) {
  const StageIdentity& identity = stage.identity;
  // It died while it was put back alone, which is what it needs still.
  if (stage.failed_before) return Failure{identity.key, "run", *stage.failed_before, false};
  json who = {{"name", identity.name},
              {"uses", identity.uses},
              {"index", identity.index},
              {"count", identity.count}};
  session_.events.emit("stage.started", who, identity.key);
  stage.began = SteadyClock::now();
  if (stage.attempts > 0) {  // as it was begun; what it has done may be all over what it looks at
    stage.options.secrets =
        resolve_secret_texts(stage.options.secret_texts, scope(run_values("running", {})));
    return std::nullopt;
  }
  std::optional<Failure> failure;
  if (!stage.rehearsed) failure = settle_unknowns(stage);
  if (failure) return not_begun(stage, *failure);
  if (stage.state == PlannedStage::State::skipped) {
    journal_.set_stage_state(run_, identity.position, StageState::skipped, stage.reason);
    who["reason"] = stage.reason;
    session_.events.emit("stage.skipped", who, identity.key);
    // Its outputs are defined, and empty: an expression may fall back with `??`.
    session_.outputs[stage.spec->id];
    return std::nullopt;
  }
  if (stage.spec->continue_on_failure && stage.observed) {
    const StepReport seen = planner_.observe(stage);
    if (!seen.ok()) return not_begun(stage, failure_of(stage, seen, session_));
    stage.facts_when_begun = seen.facts;
    journal_.save_facts(run_, identity.position, Moment::when_begun, seen.facts);
  }
  return std::nullopt;
}

// A stage that failed before its run.
Runner::Failure Runner::not_begun(const PlannedStage& stage, const Failure& failure) {
  journal_.set_stage_state(run_, stage.identity.position,
                           failure.cancelled ? StageState::pending : StageState::failed,
                           failure.reason);
  emit_stage_finished(session_.events, stage, failure.cancelled ? "cancelled" : "failed",
                      failure.reason);
  return failure;
}

// Options may refer to what earlier stages put out, or wrote into `.env`. A stage whose plan had
// unknowns, or whose options came out differently, is planned again now.
std::optional<Runner::Failure> Runner::settle_unknowns(PlannedStage& stage) {
  const bool had_unknowns = stage.state == PlannedStage::State::unknown;
  const bool was_resolved = stage.resolved;
  const json planned_options = stage.options.values;
  try {
    planner_.resolve(stage, scope(run_values("running", std::nullopt)));
    if (stage.state == PlannedStage::State::unknown) {
      throw Error(stage.spec->place.text() + ": stage '" + stage.identity.key +
                  "' needs a value that is only known " + stage.reason +
                  "; let what provides it run earlier");
    }
    if (stage.state == PlannedStage::State::skipped) return std::nullopt;
    if (!had_unknowns && was_resolved && stage.options.values == planned_options) {
      return std::nullopt;
    }

    const TemporaryDir temporary;
    StepRequest base = request_for(session_.deployment);
    base.planned_dir = temporary.path() + "/planned";
    base.planning_dir = temporary.path() + "/planning";
    make_private_dir(base.planned_dir);
    make_private_dir(base.planning_dir);
    base.run_id = run_;
    // What was seen before the first change is what must return; a look from now may see what
    // earlier stages did.
    const bool observed_before = stage.observed;
    std::vector<Fact> facts_before = stage.facts;
    const StepReport report = planner_.examine(stage, base, performer_, true);
    const Done* done = std::get_if<Done>(&report.result.outcome);
    const bool still_unknown = done != nullptr && done->status == Status::unknown;
    if (!report.ok() && !still_unknown) return failure_of(stage, report, session_);
    stage.state = PlannedStage::State::planned;
    if (observed_before) {
      stage.facts = std::move(facts_before);
    } else {
      journal_.save_facts(run_, stage.identity.position, Moment::before, stage.facts);
    }
    journal_.save_stage(run_, record_of(stage, stage.type->sha256()));
    return std::nullopt;
  } catch (const Error& e) {
    return Failure{stage.identity.key, "plan", session_.masker.mask(std::string(e.what())), false};
  }
}

std::optional<Runner::Failure> Runner::attempt(const PlannedStage& stage) {
  Turn turn(alone_);
  StageEnd end =
      StageAttempts(session_, journal_, run_, session_.worker, session_.cancellation, turn)
          .carry_out(stage);
  if (!end.failure) session_.outputs[stage.spec->id] = std::move(end.outputs);
  return end.failure;
}

// `on_failure: continue`: the stage alone is rolled back, and the run goes on.
bool Runner::goes_on_without(const PlannedStage& stage, const Failure& failure) {
  if (!stage.spec->continue_on_failure || failure.cancelled) return false;
  const RollbackReport report =
      rollback().one_stage(run_, stage.identity.position, stage.facts_when_begun);
  for (const std::string& problem : report.problems) not_put_back_.push_back(problem);
  for (const std::string& difference : report.differences) not_put_back_.push_back(difference);
  if (report.verified()) {
    journal_.set_stage_state(run_, stage.identity.position, StageState::put_back_alone,
                             failure.reason);
  }
  emit_stage_finished(session_.events, stage, "continued", failure.reason);
  session_.outputs[stage.spec->id];
  return true;
}

// What the stages put out as `rehearsal`.
std::vector<std::string> Runner::rehearsal_findings(const Plan& plan) const {
  std::vector<std::string> findings;
  for (const PlannedStage& stage : plan.stages) {
    const auto outputs = session_.outputs.find(stage.spec->id);
    if (outputs == session_.outputs.end()) continue;
    const auto found = outputs->second.find("rehearsal");
    if (found == outputs->second.end() || !found->second.value.is_string()) continue;
    findings.push_back(session_.masker.mask(found->second.value.get<std::string>()));
  }
  return findings;
}

RollbackReport Runner::roll_back(const Failure& failure) {
  journal_.set_run_state(run_, RunState::rolling_back, failure.stage, failure.step, failure.reason);
  RollbackReport report = rollback().whole_run(run_, failure.reason);
  report.problems.insert(report.problems.end(), not_put_back_.begin(), not_put_back_.end());
  return report;
}

// Once, after success or after rollback and settle. A failure here only warns: the upgrade's fate
// is sealed.
void Runner::run_finally(Plan& plan, const std::string& status,
                         const std::optional<Failure>& failure) {
  for (PlannedStage& stage : plan.stages) {
    if (!stage.final) continue;
    std::string problem;
    stage.began = SteadyClock::now();
    try {
      planner_.resolve(stage, scope(run_values(status, failure)));
      if (stage.state == PlannedStage::State::skipped) continue;
      if (stage.state == PlannedStage::State::unknown) {
        problem = "needs a value that is only known " + stage.reason;
      } else if (const std::optional<Failure> failed = attempt(stage)) {
        problem = failed->reason;
      }
    } catch (const Error& e) {
      problem = session_.masker.mask(std::string(e.what()));
    }
    if (!problem.empty()) {
      session_.events.emit("warning",
                           {{"text", "finally: stage '" + stage.identity.key + "': " + problem}},
                           stage.identity.key);
    }
  }
}

json Runner::run_values(const std::string& status, const std::optional<Failure>& failure) const {
  return {{"id", run_},
          {"status", status},
          {"reason", failure ? failure->reason : ""},
          {"failed_stage", failure ? failure->stage : ""}};
}

Scope Runner::scope(const json& run) {
  return scope_of(session_, session_.deployment.dir + "/.env", run);
}

Rollback Runner::rollback() {
  Scope known;
  try {
    known = scope(run_values("failed", std::nullopt));
  } catch (const Error&) {
    // What a stage made of `.env` may be why it failed, and must not keep it from being put back.
    known.vars = session_.vars;
    known.secret = [this](const std::string& name) { return session_.secrets.get(name); };
    known.env = known.before_env = session_.env_before;
    known.outputs = session_.outputs;
  }
  return Rollback(journal_, session_.worker, session_.events, session_.masker, session_.state,
                  session_.deployment, known,
                  [this](const StageRecord& stage) { return rollback_plugins_.file_for(stage); });
}

}  // namespace drydock
