#include "rollout_supervisor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "error.h"
#include "json_text.h"
#include "rollout_answer.h"
#include "rollout_drift.h"
#include "rollout_gates.h"
#include "rollout_history.h"
#include "rollout_host.h"
#include "rollout_survey.h"
#include "rollout_way_back.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds approval_look(1000);  // another process writes it into the store
constexpr milliseconds cancel_again(1000);   // while the link is lost
constexpr std::size_t gate_tag = static_cast<std::size_t>(-1);
constexpr std::size_t notify_tag = static_cast<std::size_t>(-2);

// Of its run.finished, the last one: who rolled a run back by hand has done well, and yet the
// environment is not upgraded.
int code_of_run(const json& finished) {
  const auto code = static_cast<int>(number_at(finished, "exit_code", 3));
  const std::string status = text_at(finished, "status");
  if (code != 0 || status == "done") return code;
  return static_cast<int>(status == "rolled_back" ? ExitCode::rolled_back : ExitCode::needs_person);
}

std::string reason_of_run(const json& finished) {
  const std::string reason = text_at(finished, "reason");
  if (!reason.empty() || text_at(finished, "status") != "rolled_back") return reason;
  return "it was rolled back by hand";
}

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
      schedule_(resumed()) {}

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
         ". Go on with: drydock rollout resume " + shell_word(rollout_.plan.file);
}

// What fails here, such as a full disk, is none of the environments' refusals.
ExitCode Supervisor::supervise() {
  try {
    return carry_on();
  } catch (const Error& e) {
    if (e.code() == ExitCode::busy) throw;  // it says all of that
    throw Error(std::string(e.what()) + "; " + left(), ExitCode::needs_person, e.details());
  } catch (const std::exception& e) {
    throw Error(std::string(e.what()) + "; " + left(), ExitCode::needs_person);
  }
}

ExitCode Supervisor::carry_on() {
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
    const Schedule::Decision decision = schedule_.decide(now_in_milliseconds());
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
    for (const std::size_t tag : retries_.due(now_in_milliseconds())) try_again(tag);
    if (decision.approval) look_for_approvals();
  }
}

milliseconds Supervisor::wait_for(const Schedule::Decision& decision) const {
  constexpr Instant never = std::numeric_limits<Instant>::max();
  const Instant now = now_in_milliseconds();
  Instant next = std::min(decision.not_before.value_or(never), retries_.next().value_or(never));
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
    if (target == plan.waves[schedule_.wave()].first) {
      report_.wave_begins(plan.waves[schedule_.wave()]);
    }
    targets_[target].state = TargetState::running;
    targets_[target].started = utc_now();
    // An earlier supervisor gave it up without knowing.
    work_[target].may_run = targets_[target].exit_code == static_cast<int>(ExitCode::needs_person);
    store_.save_target(rollout_.id, target, targets_[target]);  // before it is
    report_.target_begins(plan.targets[target], targets_[target], false);
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
    report_.waits_for_approval(plan, plan.waves[*decision.approval]);
    notify(*decision.approval, "waits");
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

// One that a rollout has left before is looked at, unless this one has a run there already.
void Supervisor::begin(std::size_t target) {
  if (targets_[target].run != 0) return attach(target);
  if (!work_[target].may_run && schedule_.over_budget()) return put_off(target);
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (!store_.environment(place_of(to, here_))) return launch(target);
  work_[target].printed.clear();
  start(target, Purpose::look, {"status", "--json"});
}

void Supervisor::looked(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (const auto obstacle = obstacle_to(to, work_[target].printed, event)) {
    return blocked(target, Purpose::look, *obstacle);
  }
  const auto found = read_status(work_[target].printed);
  const auto known = store_.environment(place_of(to, here_));
  // A run of this rollout, also of an earlier attempt, is none that anybody has to explain.
  const std::string ours = rollout_.plan.name + "." + rollout_.token + "/";
  const bool expected = !found || !known || found->key.starts_with(ours);
  const std::string drift = expected ? "" : drift_of(*known, *found);
  if (drift.empty()) return launch(target);
  if (rollout_.plan.drift == Drift::include) {
    report_.warning(to.name + " has drifted: " + drift);
    launch(target);
  } else if (rollout_.plan.drift == Drift::skip) {
    leave_out(target, "it has drifted: " + drift);
  } else {
    refused(target, "it has drifted: " + drift +
                        "; look at it, then begin the rollout with "
                        "`drift: include`, or leave it out with `drift: skip`");
  }
}

void Supervisor::leave_out(std::size_t target, const std::string& why) {
  TargetRecord& record = targets_[target];
  record.state = TargetState::skipped;
  record.reason = masker_.mask(why);
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  work_.erase(target);
  schedule_.skipped(target);
  report_.target_ended(rollout_.plan.targets[target], record);
}

std::string Supervisor::key_of(std::size_t target) const {
  return rollout_.plan.name + "." + rollout_.token + "/" + rollout_.plan.targets[target].name +
         "/" + std::to_string(targets_[target].attempt);
}

// A key that the environment knows already attaches to that run.
void Supervisor::launch(std::size_t target) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  if (!work.may_run && schedule_.over_budget()) return put_off(target);
  work.printed.clear();
  std::vector<std::string> words = words_for("run", rollout_.plan, to, setup_.plugin_dirs);
  words.insert(words.end(), {"--yes", "--detach", "--key", key_of(target)});
  if (rollout_.plan.accept_partial_rollback) words.push_back("--accept-partial-rollback");
  std::string inputs;
  try {
    if (to.host.empty()) require_same_pipeline(rollout_.plan);  // other hosts get what was read
    inputs = inputs_of(to, setup_.pipeline ? &*setup_.pipeline : nullptr, masker_, promoted_);
  } catch (const Error& e) {
    refused(target, e.what());
    ended_at_once_ = true;
    return;
  }
  start(target, Purpose::launch, words, inputs);
}

// Its wave has failed while it was looked at, or while its host was away.
void Supervisor::put_off(std::size_t target) {
  TargetRecord& record = targets_[target];
  record.state = TargetState::waiting;
  record.started.clear();
  store_.save_target(rollout_.id, target, record);
  work_.erase(target);
  schedule_.not_begun(target);
  ended_at_once_ = true;
  report_.target_put_off(rollout_.plan.targets[target]);
}

void Supervisor::start(std::size_t target, Purpose purpose, const std::vector<std::string>& words,
                       const std::string& input) {
  store_.require_lease();
  ChildCommand command = setup_.hosts.command(rollout_.plan.targets[target], words);
  if (purpose == Purpose::cancel) command.timeout = short_command_timeout(rollout_.plan);
  pool_.start(tag_of(target, purpose), command, input);
}

void Supervisor::launched(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  const json said = json::parse(work.printed, nullptr, false);
  if (event.code == 0 && said.is_object() && number_at(said, "run") > 0) {
    targets_[target].run = static_cast<std::uint64_t>(number_at(said, "run"));
    store_.save_target(rollout_.id, target, targets_[target]);
    heard(target);
    attach(target);
    if (work.cancel_wanted) cancel(target);
  } else if (const auto obstacle = obstacle_to(to, work.printed, event)) {
    blocked(target, Purpose::launch, *obstacle);
  } else if (event.code < 0 && event.signal != 0 && work.patience.died()) {
    work.may_run = true;
    launch(target);  // the same key: whatever it had begun is found
  } else if (event.code == static_cast<int>(ExitCode::refused)) {
    refused(target, reason_of(work.printed, event));
  } else {
    const int code = event.code > 0 ? event.code : static_cast<int>(ExitCode::needs_person);
    target_ended(target, code, reason_of(work.printed, event));
  }
}

// To a run whose number is known.
void Supervisor::attach(std::size_t target) {
  work_[target].log.open(setup_.folder + "/logs/" + std::to_string(rollout_.id) + "/" +
                         rollout_.plan.targets[target].name + "/" +
                         std::to_string(targets_[target].attempt));
  follow(target);
}

// From the last one that is known: it says at once that the link is there, and is not kept twice.
void Supervisor::follow(std::size_t target) {
  start(target, Purpose::follow,
        {"logs", std::to_string(targets_[target].run), "--events", "--follow", "--from",
         std::to_string(std::max<std::uint64_t>(1, work_[target].log.seq()))});
}

void Supervisor::follow_line(std::size_t target, const std::string& line) {
  Work& work = work_[target];
  const auto event = Event::from_json_line(line);
  if (!event || event->run != targets_[target].run) return;
  heard(target);
  work.log.take(*event, line);
  report_.target_does(rollout_.plan.targets[target], work.log.stage());
}

void Supervisor::followed(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  if (const json& finished = work.log.finished(); finished.is_object()) {
    target_ended(target, code_of_run(finished), reason_of_run(finished));
  } else if (const auto obstacle = obstacle_to(to, "", event)) {
    blocked(target, Purpose::follow, *obstacle);
  } else if (event.code != 0 && work.patience.died()) {
    follow(target);  // the run itself is not touched by that
  } else {
    const std::string said = event.error.empty() ? "" : " (" + said_on(event.error) + ")";
    target_ended(target, static_cast<int>(ExitCode::needs_person),
                 "run " + std::to_string(targets_[target].run) + " ended without having told how" +
                     said + "; see `" + command_text(to, "status") + "`");
  }
}

void Supervisor::cancel(std::size_t target) {
  const TargetRecord& record = targets_[target];
  if (record.run == 0) {  // it is about to be known
    work_[target].cancel_wanted = true;
    return;
  }
  start(target, Purpose::cancel, {"cancel", std::to_string(record.run)});
}

// What it says is nobody's concern: the run itself tells how it ends. But it has to arrive.
void Supervisor::cancelled(std::size_t target, const ChildEvent& event) {
  const auto obstacle = obstacle_to(rollout_.plan.targets[target], "", event);
  if (!obstacle || !obstacle->may_pass()) return;
  retries_.at(now_in_milliseconds() + cancel_again.count(), tag_of(target, Purpose::cancel));
}

// The run there, if there is one, goes on; only nobody sees it.
void Supervisor::blocked(std::size_t target, Purpose purpose, const Obstacle& obstacle) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (to.host.empty()) {
    return refused(target, obstacle.sentence);
  }
  Work& work = work_[target];
  work.may_run = work.may_run || obstacle.kind == Obstacle::Kind::lost;
  const bool was_away = work.patience.is_away();
  const milliseconds longest = rollout_.plan.ssh.reconnect;
  const auto again =
      obstacle.may_pass() ? work.patience.lost(now_in_milliseconds(), longest) : std::nullopt;
  if (!again) return give_up(target, obstacle.sentence);
  retries_.at(*again, tag_of(target, purpose));
  if (was_away) return;
  report_.warning(to.name + ": " + obstacle.sentence + "; trying again for " +
                  format_duration(longest) +
                  (purpose == Purpose::follow ? ", while its run goes on by itself" : ""));
}

void Supervisor::give_up(std::size_t target, const std::string& why) {
  TargetRecord& record = targets_[target];
  const bool may_run = record.run != 0 || work_[target].may_run;
  const std::string what = record.run == 0 ? "its run" : "run " + std::to_string(record.run);
  record.state = TargetState::unreachable;
  record.exit_code = static_cast<int>(may_run ? ExitCode::needs_person : ExitCode::refused);
  record.reason = masker_.mask(
      why + (may_run ? "; " + what + " may go on there, and `rollout resume` finds it again" : ""));
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  work_.erase(target);
  schedule_.unreachable(target);
  ended_at_once_ = true;
  report_.target_ended(rollout_.plan.targets[target], record);
}

void Supervisor::heard(std::size_t target) {
  Work& work = work_[target];
  if (work.patience.is_away()) {
    report_.warning(rollout_.plan.targets[target].name + ": reached again");
  }
  work.patience.heard();
}

void Supervisor::try_again(std::size_t tag) {
  const std::size_t target = target_of(tag);
  if (work_.count(target) == 0) return;  // its run has ended meanwhile
  switch (purpose_of(tag)) {
    case Purpose::launch:
      return launch(target);
    case Purpose::follow:
      return follow(target);
    case Purpose::look:
      return begin(target);
    default:
      return cancel(target);
  }
}

// Nothing was changed, unless it had begun before and nobody could look.
void Supervisor::refused(std::size_t target, const std::string& why) {
  const bool may_run = targets_[target].run != 0 || work_[target].may_run;
  target_ended(target, static_cast<int>(may_run ? ExitCode::needs_person : ExitCode::refused),
               why + (may_run ? "; its run may go on: see `" +
                                    command_text(rollout_.plan.targets[target], "status") + "`"
                              : ""));
}

void Supervisor::target_ended(std::size_t target, int code, const std::string& reason) {
  TargetRecord& record = targets_[target];
  const bool well = code == 0;
  record.state = well ? TargetState::done : TargetState::failed;
  record.exit_code = code;
  record.reason = well ? "" : masker_.mask(reason);
  record.finished = utc_now();
  if (well) record.outputs = work_[target].log.outputs();
  store_.save_target(rollout_.id, target, record);
  remember(target);
  work_.erase(target);
  schedule_.finished(target, well);
  report_.target_ended(rollout_.plan.targets[target], record);
  if (!well) return;
  const std::string conflict = promotion_.add(rollout_.plan.targets[target].name, record.outputs);
  if (conflict.empty() || !disagreement_.empty()) return;
  disagreement_ = conflict;
  const auto& waves = rollout_.plan.waves;
  const auto of = std::find_if(waves.begin(), waves.end(), [&](const RolloutWave& each) {
    return target < each.first + each.count;
  });
  schedule_.stop(static_cast<std::size_t>(of - waves.begin()));
  report_.warning(conflict);
}

// For those who ask later: how the run went, and as what it left the environment.
void Supervisor::remember(std::size_t target) {
  const TargetRecord& record = targets_[target];
  if (record.run == 0) return;
  const RolloutTarget& to = rollout_.plan.targets[target];
  const json& finished = work_[target].log.finished();
  const RunSummary run = summary_of(rollout_.plan, to, record, finished, rollout_.user, here_);
  store_.save_runs({run});
  if (record.exit_code != 0) return;
  const json& services = list_at(finished, "application");
  store_.save_environment(
      {run.place, to.name, rollout_.plan.name, run.version, record.run, images_in(services)});
}

void Supervisor::ask_gate(std::size_t wave) {
  report_.gate_begins(rollout_.plan.waves[wave]);
  gate_printed_.clear();
  store_.require_lease();
  start_controller_stage(pool_, gate_tag, ControllerPurpose::gate, rollout_, wave, targets_,
                         "ended", setup_.folder, setup_.plugin_dirs);
}

void Supervisor::gate_answered(const ChildEvent& event) {
  const std::size_t wave = schedule_.wave();
  const bool held = event.code == 0;
  waves_[wave].known.gate_held = held;
  waves_[wave].gate_reason = held ? "" : masker_.mask(reason_of(gate_printed_, event));
  store_.save_wave(rollout_.id, wave, waves_[wave]);
  report_.gate_answered(rollout_.plan.waves[wave], held, waves_[wave].gate_reason);
  schedule_.gate(held);
}

void Supervisor::notify(std::size_t wave, const std::string& status) {
  if (!rollout_.plan.notify) return;
  try {
    start_controller_stage(pool_, notify_tag, ControllerPurpose::notification, rollout_, wave,
                           targets_, status, setup_.folder, setup_.plugin_dirs);
  } catch (const Error& e) {
    report_.warning("a notification failed: " + std::string(e.what()));
  }
}

void Supervisor::handle(const ChildEvent& event) {
  if (event.tag == gate_tag) {
    if (event.ended) {
      gate_answered(event);
    } else {
      gate_printed_ += event.text + "\n";
    }
    return;
  }
  if (event.tag == notify_tag) {
    if (event.ended && event.code != 0) {
      report_.warning("a notification failed: " + reason_of("", event));
    }
    return;
  }
  const std::size_t target = target_of(event.tag);
  const Purpose purpose = purpose_of(event.tag);
  if (work_.count(target) == 0) return;  // of a cancel whose run has ended
  if (purpose == Purpose::launch || purpose == Purpose::look) {
    if (!event.ended) {
      work_[target].printed += event.text + "\n";
    } else if (purpose == Purpose::look) {
      looked(target, event);
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

void Supervisor::finish_notifications() {
  while (pool_.running() > 0 && !cancellation_.requested()) {
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
      WayBack(rollout_, store_, setup_.hosts, report_, masker_, cancellation_)
          .carry_out(wave, targets_);
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
