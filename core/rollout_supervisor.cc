#include "rollout_supervisor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "error.h"
#include "rollout_answer.h"
#include "rollout_gates.h"
#include "rollout_way_back.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds approval_look(1000);  // another process writes it into the store
constexpr std::size_t gate_tag = static_cast<std::size_t>(-1);

}  // namespace

Supervisor::Supervisor(RolloutRecord rollout, RolloutStore& store, const SupervisorSetup& setup,
                       RolloutReport& report, Masker& masker, const Cancellation& cancellation)
    : rollout_(std::move(rollout)),
      store_(store),
      setup_(setup),
      report_(report),
      masker_(masker),
      cancellation_(cancellation),
      targets_(store.targets(rollout_.id)),
      waves_(store.waves(rollout_.id)),
      here_(host_name()),
      schedule_(resumed()),
      ask_again_(setup.ask_again) {}

// What environments have promoted already counts, whoever has seen it.
Schedule Supervisor::resumed() {
  for (std::size_t wave = 0; wave < waves_.size(); ++wave) {
    const RolloutWave& of = rollout_.plan.waves[wave];
    for (std::size_t i = of.first; i < of.first + of.count; ++i) {
      const std::string conflict =
          promotion_.add(rollout_.plan.targets[i].name, targets_[i].outputs);
      if (conflict.empty() || waves_[wave].known.passed || !disagreement_.empty()) continue;
      disagreement_ = conflict;
      waves_[wave].known.stopped = true;
    }
    if (waves_[wave].known.passed) promoted_ = promotion_.accepted();
  }
  return schedule_of(rollout_.plan, targets_, waves_);
}

// What goes on without us, and how to come back to it.
std::string Supervisor::left() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].state == TargetState::running) names.push_back(rollout_.plan.targets[i].name);
  }
  constexpr std::size_t most_named = 5;
  const std::size_t count = names.size();
  if (count > most_named) names.resize(most_named);
  const std::string more =
      count > most_named ? " and " + std::to_string(count - most_named) + " more" : "";
  return "the rollout '" + rollout_.plan.name + "' was left" +
         (names.empty() ? ""
                        : "; " + join(names, ", ") + more +
                              (count == 1 ? " goes on by itself" : " go on by themselves")) +
         ". Go on with: " + setup_.commands.of("resume");
}

// What fails here, such as a full disk, is none of the environments' refusals.
ExitCode Supervisor::supervise() {
  try {
    return carry_on();
  } catch (const WayBackLeft&) {
    throw;
  } catch (const Error& e) {
    if (e.code() == ExitCode::busy) throw;  // it says all of that
    throw Error(std::string(e.what()) + "; " + left(), ExitCode::needs_person, e.details());
  } catch (const std::exception& e) {
    throw Error(std::string(e.what()) + "; " + left(), ExitCode::needs_person);
  }
}

ExitCode Supervisor::carry_on() {
  TemporaryDir::remove_abandoned();  // of a supervisor that was killed
  // What an earlier supervisor has started goes on, or has ended meanwhile.
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].state != TargetState::running) continue;
    report_.target_begins(rollout_.plan.targets[i], targets_[i], true);
    work_[i].may_run = true;
    begin(i);
  }
  for (;;) {
    keep_lease();
    if (cancellation_.requested()) {
      throw Error(left(), ExitCode::busy);
    }
    const Schedule::Decision decision =
        asks_hosts() ? Schedule::Decision() : schedule_.decide(now_in_milliseconds());
    act_on(decision);
    if (decision.end != Schedule::End::none) return finish(decision.end);
    if (decision.passed_wave || std::exchange(ended_at_once_, false)) continue;
    if (decision.approval && setup_.until_approval) {
      finish_notifications();
      return ExitCode::waits;
    }
    for (const ChildEvent& event : pool_.wait(wait_for(decision), cancellation_.fd())) {
      handle(event);
    }
    for (const std::size_t tag : retries_.due(steady_milliseconds())) try_again(tag);
    if (decision.approval) look_for_approvals();
  }
}

milliseconds Supervisor::wait_for(const Schedule::Decision& decision) const {
  constexpr Instant never = std::numeric_limits<Instant>::max();
  const Instant now = now_in_milliseconds();
  Instant next = decision.not_before.value_or(never);
  if (const auto retry = retries_.next())
    next = std::min(next, now + *retry - steady_milliseconds());
  if (decision.approval) next = std::min(next, now + approval_look.count());
  if (store_.is_shared()) next = std::min(next, renewed_ + lease_renewed_every.count());
  if (const auto redraw = report_.redrawn_every()) next = std::min(next, now + redraw->count());
  return next == never ? milliseconds(-1) : milliseconds(std::max<Instant>(0, next - now));
}

// Nobody else takes over as long as this one is heard of.
void Supervisor::keep_lease() {
  report_.redraw(targets_);
  if (!store_.is_shared() || now_in_milliseconds() < renewed_ + lease_renewed_every.count()) return;
  store_.renew();
  renewed_ = now_in_milliseconds();
}

void Supervisor::act_on(const Schedule::Decision& decision) {
  const RolloutPlan& plan = rollout_.plan;
  for (const std::size_t target : decision.start) {
    if (target == plan.waves[schedule_.wave()].first) tell_begun();
    const bool looks_again = work_[target].patience.is_away();
    targets_[target].state = TargetState::running;
    targets_[target].started = utc_now();
    // An earlier supervisor gave it up without knowing.
    work_[target].may_run = targets_[target].exit_code == static_cast<int>(ExitCode::needs_person);
    store_.save_target(rollout_.id, target, targets_[target]);  // before it is
    if (!looks_again) report_.target_begins(plan.targets[target], targets_[target], false);
    begin(target);
  }
  for (const std::size_t target : decision.cancel) cancel(target);
  if (decision.ended_wave) {
    const RolloutWave& wave = plan.waves[*decision.ended_wave];
    waves_[*decision.ended_wave].known.ended = now_in_milliseconds();
    store_.save_wave(rollout_.id, *decision.ended_wave, waves_[*decision.ended_wave]);
    report_.total(wave, targets_);
    if (wave.soak.count() > 0) report_.soaks(wave);
  }
  if (decision.gate) ask_gate(*decision.gate);
  if (decision.approval && told_waiting_ != decision.approval) {
    told_waiting_ = decision.approval;
    report_.waits_for_approval(plan.waves[*decision.approval]);
    WaveRecord& wave = waves_[*decision.approval];
    if (!std::exchange(wave.told, true)) {  // an earlier supervisor may have
      store_.save_wave(rollout_.id, *decision.approval, wave);
      notify(*decision.approval, "waits");
    }
  }
  if (decision.passed_wave && plan.waves[*decision.passed_wave].count > 0) {
    WaveRecord& wave = waves_[*decision.passed_wave];
    promoted_ = promotion_.accepted();
    if (std::exchange(wave.known.passed, true)) return;  // an earlier supervisor has said so
    store_.save_wave(rollout_.id, *decision.passed_wave, wave);
    report_.wave_passed(plan.waves[*decision.passed_wave]);
    notify(*decision.passed_wave, "passed");
  }
}

void Supervisor::tell_begun() {
  const std::size_t wave = schedule_.wave();
  if (told_begun_ == wave) return;
  told_begun_ = wave;
  report_.wave_begins(rollout_.plan.waves[wave]);
}

// The files of what holds a secret, which is kept nowhere, are gone with this supervisor, or with
// the next one where this one is killed.
const std::string& Supervisor::folder_of(const ControllerStage& stage) {
  if (!stage.set_apart) return setup_.folder;
  if (!unkept_) unkept_.emplace();
  return unkept_->path();
}

void Supervisor::ask_gate(std::size_t wave) {
  report_.gate_begins(rollout_.plan.waves[wave]);
  store_.require_lease();
  start_controller_stage(pool_, gate_tag, ControllerPurpose::gate, rollout_, wave, targets_,
                         "ended", folder_of(*rollout_.plan.waves[wave].gate), setup_.plugin_dirs);
  controller_stages_[gate_tag].clear();
}

void Supervisor::gate_answered(const std::string& printed, const ChildEvent& event) {
  const std::size_t wave = schedule_.wave();
  const bool held = event.code == 0;
  waves_[wave].known.gate_held = held;
  waves_[wave].gate_reason = held ? ""
                                  : masker_.mask(why_controller_stage_failed(
                                        *rollout_.plan.waves[wave].gate, printed, event));
  store_.save_wave(rollout_.id, wave, waves_[wave]);
  report_.gate_answered(rollout_.plan.waves[wave], held, waves_[wave].gate_reason);
  schedule_.gate(held);
}

void Supervisor::notify(std::size_t wave, const std::string& status) {
  if (!rollout_.plan.notify) return;
  const std::size_t tag = gate_tag - ++notifications_;
  try {
    start_controller_stage(pool_, tag, ControllerPurpose::notification, rollout_, wave, targets_,
                           status, folder_of(*rollout_.plan.notify), setup_.plugin_dirs);
    controller_stages_[tag].clear();
  } catch (const Error& e) {
    report_.warning("a notification failed: " + std::string(e.what()));
  }
}

void Supervisor::controller_stage_ended(const ChildEvent& event) {
  const std::string printed = std::move(controller_stages_[event.tag]);
  controller_stages_.erase(event.tag);
  if (event.tag == gate_tag) return gate_answered(printed, event);
  if (event.code == 0) return;
  report_.warning("a notification failed: " +
                  why_controller_stage_failed(*rollout_.plan.notify, printed, event));
}

// Gates and notifications are no runs that go on by themselves. What waits to be started must not
// be begun any more. An end may have been told to a supervisor that failed before it took it.
Supervisor::~Supervisor() {
  pool_.drop_waiting();
  for (const auto& [tag, printed] : controller_stages_) pool_.end(tag);
  const auto goes_on = [&](const auto& stage) { return pool_.has(stage.first); };
  while (std::any_of(controller_stages_.begin(), controller_stages_.end(), goes_on)) {
    pool_.wait(milliseconds(-1), -1);
  }
}

void Supervisor::handle(const ChildEvent& event) {
  const auto stage = controller_stages_.find(event.tag);
  const bool is_notification = stage != controller_stages_.end() && event.tag != gate_tag;
  // What this machine lacks is no failure of an environment or a gate.
  if (event.for_want && !is_notification) {
    controller_stages_.erase(event.tag);
    throw Error(event.error, ExitCode::needs_person);
  }
  if (stage != controller_stages_.end()) {
    if (event.ended) {
      controller_stage_ended(event);
    } else {
      add_line(stage->second, event.text);
    }
    return;
  }
  const std::size_t target = target_of(event.tag);
  const Purpose purpose = purpose_of(event.tag);
  if (work_.count(target) == 0) return;  // of a cancel whose run has ended
  if (purpose == Purpose::secret) {
    work_[target].secrets.take(rollout_.plan.targets[target], event);
    if (event.ended) launch(target);
    return;
  }
  if (purpose == Purpose::ask || purpose == Purpose::launch || purpose == Purpose::look ||
      purpose == Purpose::show || purpose == Purpose::find) {
    if (!event.ended) {
      add_line(work_[target].printed, event.text);
    } else if (purpose == Purpose::ask) {
      answered(target, event);
    } else if (purpose == Purpose::look) {
      looked(target, event);
    } else if (purpose == Purpose::show) {
      shown(target, event);
    } else if (purpose == Purpose::find) {
      found(target, event);
    } else {
      launched(target, event);
    }
  } else if (purpose == Purpose::follow) {
    if (event.ended) {
      followed(target, event);
    } else {
      follow_line(target, event.text);
    }
  } else if (event.ended) {
    cancelled(target, event);
  }
}

void Supervisor::look_for_approvals() {
  const std::vector<WaveRecord> found = store_.waves(rollout_.id);
  for (std::size_t i = 0; i < waves_.size(); ++i) {
    if (!found[i].known.approved || waves_[i].known.approved) continue;
    waves_[i] = found[i];
    schedule_.approved(i);
  }
}

// Each has its time.
void Supervisor::finish_notifications() {
  while (!controller_stages_.empty() && !cancellation_.requested()) {
    for (const ChildEvent& event : pool_.wait(milliseconds(-1), cancellation_.fd())) handle(event);
  }
}

ExitCode Supervisor::finish(Schedule::End end) {
  const bool passed = end == Schedule::End::passed;
  std::string reason;
  const std::size_t wave = schedule_.wave();
  if (!passed) {
    reason = why_failed(rollout_.plan, schedule_, waves_, disagreement_);
    if (rollout_.plan.rollback_wave) {
      WayBack(rollout_, store_, setup_.hosts, report_, masker_, setup_.commands, cancellation_)
          .carry_out(wave, targets_, "");
    }
  }
  const ExitCode code = exit_code_of(targets_, passed);
  store_.finish(rollout_.id, passed ? RolloutState::passed : RolloutState::failed,
                static_cast<int>(code), reason);
  if (!passed) notify(wave, "failed");
  finish_notifications();
  return code;
}

}  // namespace drydock
