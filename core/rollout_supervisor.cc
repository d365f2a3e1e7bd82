#include "rollout_supervisor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "descriptor.h"
#include "error.h"
#include "files.h"
#include "json_text.h"
#include "rollout_answer.h"
#include "rollout_controller.h"
#include "rollout_host.h"
#include "rollout_survey.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"
#include "view.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds approval_look(1000);  // another process writes it into the store
constexpr milliseconds cancel_again(1000);   // while the link is lost
constexpr std::size_t gate_tag = static_cast<std::size_t>(-1);
constexpr std::size_t notify_tag = static_cast<std::size_t>(-2);

std::vector<TargetState> states_of(const std::vector<TargetRecord>& targets) {
  std::vector<TargetState> states;
  for (const TargetRecord& each : targets) states.push_back(each.state);
  return states;
}

std::string new_private_dir(const std::string& folder, const std::string& name) {
  make_private_dir(folder);
  for (unsigned attempt = 1;; ++attempt) {
    const std::string path = folder + "/" + name + "-" + std::to_string(attempt);
    if (::mkdir(path.c_str(), 0700) == 0) return path;
    if (errno != EEXIST) {
      throw Error("the folder " + path + " cannot be made (" + std::strerror(errno) +
                  "); check its owner and whether the disk is full or read-only");
    }
  }
}

}  // namespace

Instant now_in_milliseconds() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Schedule schedule_of(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves) {
  std::vector<ScheduledWave> scheduled;
  for (const RolloutWave& each : plan.waves) {
    scheduled.push_back({each.count, each.parallel, each.max_failures, each.max_unreachable,
                         each.soak, each.gate.has_value(), each.approve});
  }
  std::vector<KnownWave> known;
  for (const WaveRecord& each : waves) known.push_back(each.known);
  return Schedule(std::move(scheduled), plan.cancel_on_budget, states_of(targets), known);
}

Schedule schedule_at_work(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                          const std::vector<WaveRecord>& waves) {
  Schedule schedule = schedule_of(plan, targets, waves);
  while (schedule.decide(now_in_milliseconds()).passed_wave) {
  }
  return schedule;
}

ExitCode exit_code_of(const std::vector<TargetRecord>& targets, bool passed) {
  ExitCode worst = passed ? ExitCode::done : ExitCode::rolled_back;
  for (const TargetRecord& each : targets) {
    if (each.state != TargetState::failed && each.state != TargetState::unreachable) continue;
    const auto code = static_cast<ExitCode>(each.exit_code);
    if (code == ExitCode::needs_person || code == ExitCode::busy) return ExitCode::needs_person;
    worst = ExitCode::rolled_back;
  }
  return worst;
}

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
      schedule_(schedule_of(rollout_.plan, targets_, waves_)) {}

ExitCode Supervisor::supervise() {
  // What an earlier supervisor has started goes on, or has ended meanwhile.
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].state != TargetState::running) continue;
    report_.target_begins(rollout_.plan.targets[i], targets_[i], true);
    work_[i].may_run = true;
    launch(i);
  }
  for (;;) {
    if (cancellation_.requested()) {
      throw Error("the rollout '" + rollout_.plan.name + "' was left; " +
                      std::to_string(schedule_.running()) +
                      " of its runs go on by themselves. Go on with: drydock rollout resume " +
                      shell_word(rollout_.plan.file),
                  ExitCode::busy);
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
  if (decision.approval) return approval_look;
  const std::optional<Instant> retry = retries_.next();
  if (!decision.not_before && !retry) return milliseconds(-1);
  const Instant next = std::min(decision.not_before.value_or(std::numeric_limits<Instant>::max()),
                                retry.value_or(std::numeric_limits<Instant>::max()));
  return milliseconds(std::max<Instant>(0, next - now_in_milliseconds()));
}

void Supervisor::act_on(const Schedule::Decision& decision) {
  const RolloutPlan& plan = rollout_.plan;
  for (const std::size_t target : decision.start) {
    if (target == plan.waves[schedule_.wave()].first) {
      report_.wave_begins(plan.waves[schedule_.wave()]);
    }
    targets_[target].state = TargetState::running;
    targets_[target].started = utc_now();
    store_.save_target(rollout_.id, target, targets_[target]);  // before it is
    report_.target_begins(plan.targets[target], targets_[target], false);
    launch(target);
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
    if (std::exchange(wave.passed, true)) return;  // an earlier supervisor has said so
    store_.save_wave(rollout_.id, *decision.passed_wave, wave);
    report_.wave_passed(plan.waves[*decision.passed_wave]);
    notify(*decision.passed_wave, "passed");
  }
}

// A key that the environment knows already attaches to that run.
void Supervisor::launch(std::size_t target) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  work.printed.clear();
  std::vector<std::string> words = words_for("run", rollout_.plan, to, setup_.plugin_dirs);
  words.insert(words.end(), {"--yes", "--detach", "--key",
                             rollout_.plan.name + "." + rollout_.token + "/" + to.name + "/" +
                                 std::to_string(targets_[target].attempt)});
  std::string inputs;
  try {
    inputs = inputs_of(to, setup_.pipeline ? &*setup_.pipeline : nullptr, masker_);
  } catch (const Error& e) {
    target_ended(target, static_cast<int>(ExitCode::refused), e.what());
    ended_at_once_ = true;
    return;
  }
  start(target, Purpose::launch, words, inputs);
}

void Supervisor::start(std::size_t target, Purpose purpose, const std::vector<std::string>& words,
                       const std::string& input) {
  pool_.start(tag_of(target, purpose), setup_.hosts.command(rollout_.plan.targets[target], words),
              input);
}

void Supervisor::launched(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  const json said = json::parse(work.printed, nullptr, false);
  if (event.code == 0 && said.is_object() && number_at(said, "run") > 0) {
    targets_[target].run = static_cast<std::uint64_t>(number_at(said, "run"));
    store_.save_target(rollout_.id, target, targets_[target]);
    heard(target);
    const std::string logs = setup_.folder + "/logs/" + std::to_string(rollout_.id) + "/" +
                             rollout_.plan.targets[target].name + "/" +
                             std::to_string(targets_[target].attempt);
    make_private_dir(logs);
    // Whoever followed it before may have died between its last line and the store.
    if (const auto last = last_event_of(logs)) {
      work.seq = last->seq;
      if (last->type == "run.finished") work.finished = last->data;
    }
    // Its name is there with mode 0600 before anything is in it.
    const std::string file = logs + "/events.jsonl";
    Descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    work.log.open(file, std::ios::app | std::ios::binary);
    follow(target);
    if (work.cancel_wanted) cancel(target);
  } else if (const auto obstacle = obstacle_to(to, work.printed, event)) {
    blocked(target, Purpose::launch, *obstacle);
  } else if (event.code < 0 && event.signal != 0 && work.patience.died()) {
    launch(target);  // the same key: whatever it had begun is found
  } else {
    const int code = event.code > 0 ? event.code : static_cast<int>(ExitCode::needs_person);
    target_ended(target, code, reason_of(work.printed, event));
  }
}

// From the last one that is known: it says at once that the link is there, and is not kept twice.
void Supervisor::follow(std::size_t target) {
  start(target, Purpose::follow,
        {"logs", std::to_string(targets_[target].run), "--events", "--follow", "--from",
         std::to_string(std::max<std::uint64_t>(1, work_[target].seq))});
}

void Supervisor::follow_line(std::size_t target, const std::string& line) {
  Work& work = work_[target];
  const auto event = Event::from_json_line(line);
  if (!event || event->run != targets_[target].run) return;
  heard(target);
  if (event->seq <= work.seq) return;
  work.seq = event->seq;
  work.log << line << "\n" << std::flush;
  if (event->type == "run.finished") work.finished = event->data;
}

void Supervisor::followed(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  if (work.finished) {
    target_ended(target, static_cast<int>(number_at(*work.finished, "exit_code", 3)),
                 text_at(*work.finished, "reason"));
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
    return target_ended(target, static_cast<int>(ExitCode::refused), obstacle.sentence);
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
    default:
      return cancel(target);
  }
}

void Supervisor::target_ended(std::size_t target, int code, const std::string& reason) {
  TargetRecord& record = targets_[target];
  const bool well = code == 0;
  record.state = well ? TargetState::done : TargetState::failed;
  record.exit_code = code;
  record.reason = well ? "" : masker_.mask(reason);
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  work_.erase(target);
  schedule_.finished(target, well);
  report_.target_ended(rollout_.plan.targets[target], record);
}

void Supervisor::ask_gate(std::size_t wave) {
  report_.gate_begins(rollout_.plan.waves[wave]);
  gate_printed_.clear();
  start_controller_stage(gate_tag, wave, *rollout_.plan.waves[wave].gate, "ended");
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
  start_controller_stage(notify_tag, wave, *rollout_.plan.notify, status);
}

// In the rollout file's folder, with a state of its own that no other run waits for.
void Supervisor::start_controller_stage(std::size_t tag, std::size_t wave,
                                        const ControllerStage& stage, const std::string& status) {
  const RolloutWave& of = rollout_.plan.waves[wave];
  ControllerVars vars{rollout_.plan.name, of.name, status, of.count, 0};
  for (std::size_t i = of.first; i < of.first + of.count; ++i) {
    vars.failed += targets_[i].state == TargetState::failed ? 1 : 0;
  }
  const std::string dir =
      new_private_dir(setup_.folder + "/" + (tag == gate_tag ? "gates" : "notifications"),
                      std::to_string(rollout_.id) + "-" + of.name);
  write_file_atomically(dir + "/stage.yaml",
                        controller_pipeline_text(stage, vars, rollout_.plan.secrets));
  RolloutTarget here;
  here.dir = fs::path(rollout_.plan.file).parent_path().string();
  std::vector<std::string> words = {
      "run", dir + "/stage.yaml", "--state-dir", dir + "/state", "--json", "--yes"};
  for (const std::string& plugins : setup_.plugin_dirs) {
    words.insert(words.end(), {"--plugin-dir", plugins});
  }
  pool_.start(tag, command_here(here, words));
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
  if (purpose == Purpose::launch) {
    if (event.ended) {
      launched(target, event);
    } else {
      work_[target].printed += event.text + "\n";
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
  const ExitCode code = exit_code_of(targets_, passed);
  std::string reason;
  if (!passed) {
    const std::size_t wave = schedule_.wave();
    const RolloutWave& of = rollout_.plan.waves[wave];
    const auto spent = [&](std::size_t count, unsigned most, const std::string& what) {
      return std::to_string(count) + " of " +
             count_of(static_cast<std::int64_t>(of.count), "environment") + " " + what +
             " in the wave '" + of.name + "', and " +
             (most == 0 ? "none" : "at most " + std::to_string(most)) + " may";
    };
    if (schedule_.failed() > of.max_failures) {
      reason = spent(schedule_.failed(), of.max_failures, "failed");
    } else if (schedule_.budget_spent()) {
      reason = spent(schedule_.unreachable(), of.max_unreachable, "could not be reached") +
               " be missing";
    } else {
      reason = "the gate of the wave '" + of.name + "' does not hold: " + waves_[wave].gate_reason;
    }
    notify(wave, "failed");
  }
  store_.finish(rollout_.id, passed ? RolloutState::passed : RolloutState::failed,
                static_cast<int>(code), reason);
  finish_notifications();
  return code;
}

}  // namespace drydock
