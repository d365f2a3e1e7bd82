// What a supervisor does with one environment: looks at it, starts its run, follows it, and says
// how it ended.
#include <algorithm>
#include <utility>

#include "error.h"
#include "json_text.h"
#include "rollout_answer.h"
#include "rollout_drift.h"
#include "rollout_history.h"
#include "rollout_host.h"
#include "rollout_host_survey.h"
#include "rollout_supervisor.h"
#include "rollout_survey.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds cancel_again(1000);  // while the link is lost
constexpr milliseconds look_again(1000);    // at a run that goes on without a log
constexpr milliseconds find_again(1000);    // whether a run has begun

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

// Nothing of a wave is begun before all of its hosts have answered that were not well when the
// rollout was gone on with: not all at once, and one question of a host at a time. Returns whether
// one of them still has to.
bool Supervisor::asks_hosts() {
  const std::size_t wave = schedule_.wave();
  if (wave == rollout_.plan.waves.size()) return false;
  const RolloutWave& of = rollout_.plan.waves[wave];
  const auto end = ask_again_.lower_bound(of.first + of.count);
  for (auto next = ask_again_.lower_bound(of.first);
       next != end && asking_.size() < most_asked_at_once;) {
    const RolloutTarget& to = rollout_.plan.targets[*next];
    const bool is_asked = std::any_of(asking_.begin(), asking_.end(), [&](std::size_t other) {
      return !to.host.empty() && rollout_.plan.targets[other].host == to.host;
    });
    if (is_asked) {
      ++next;
      continue;
    }
    tell_begun();
    work_[*next].asked = now_in_milliseconds();
    start(*next, Purpose::ask, question_for(to, setup_.plugin_dirs));
    asking_.insert(*next);
    next = ask_again_.erase(next);
  }
  return !asking_.empty();
}

// A host that is away has its time to come back, once its environment is to begin.
void Supervisor::answered(std::size_t target, const ChildEvent& event) {
  asking_.erase(target);
  const Work work = std::move(work_[target]);
  work_.erase(target);
  const RolloutTarget& to = rollout_.plan.targets[target];
  const HostReport report =
      read_host_report(to, work.printed, event, work.asked, now_in_milliseconds());
  const HostFindings findings = judge(to, report, setup_.expected);
  if (findings.refusals.empty()) return;
  TargetRecord& record = targets_[target];
  record.state = TargetState::failed;
  record.exit_code = static_cast<int>(ExitCode::refused);
  record.reason = masker_.mask(join(findings.refusals, "; "));
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  schedule_.refused(target);
  report_.target_ended(to, record);
}

// One that a rollout has left before is looked at, unless this one has a run there already.
void Supervisor::begin(std::size_t target) {
  if (targets_[target].run != 0) return attach(target);
  if (schedule_.over_budget()) return work_[target].may_run ? find(target) : put_off(target);
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (!store_.environment(place_of(to, here_))) return launch(target);
  work_[target].printed.clear();
  start(target, Purpose::look, {"status", "--json"});
}

void Supervisor::looked(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (const auto obstacle = obstacle_to(to, event)) {
    return blocked(target, Purpose::look, *obstacle);
  }
  const auto found = read_status(work_[target].printed);
  const auto known = store_.environment(place_of(to, here_));
  if (!found) return unknown_drift(target, reason_of(work_[target].printed, event));
  // A run of this rollout, also of an earlier attempt, is none that anybody has to explain.
  const std::string ours = rollout_.plan.name + "." + rollout_.token + "/";
  const bool expected = !known || found->key.starts_with(ours);
  const std::string drift = expected ? "" : drift_of(*known, *found);
  if (drift.empty()) return launch(target);
  if (rollout_.plan.drift == Drift::include) {
    report_.warning(to.name + " has drifted: " + drift);
    launch(target);
  } else if (rollout_.plan.drift == Drift::skip) {
    leave_out(target, "it has drifted: " + drift);
  } else {
    refused(target, drift_refusal(drift));
  }
}

// Whoever cannot say how it stands may have been changed by hand.
void Supervisor::unknown_drift(std::size_t target, const std::string& why) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (rollout_.plan.drift != Drift::include) {
    return refused(target, "whether it has drifted is not known: " + why);
  }
  report_.warning("whether " + to.name + " has drifted is not known: " + why);
  launch(target);
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
  if (schedule_.over_budget()) return work.may_run ? find(target) : put_off(target);
  // A command that delivers a secret may take its time; the others need not wait for it.
  if (const auto command = work.secrets.next(to)) {
    store_.require_lease();
    return pool_.start(tag_of(target, Purpose::secret), *command);
  }
  work.printed.clear();
  std::vector<std::string> words = words_for("run", rollout_.plan, to, setup_.plugin_dirs);
  words.insert(words.end(), {"--yes", "--detach", "--key", key_of(target)});
  if (rollout_.plan.accept_partial_rollback) words.push_back("--accept-partial-rollback");
  std::string inputs;
  try {
    if (to.host.empty())
      require_same_pipeline(rollout_.plan, setup_.commands);  // other hosts get what was read
    inputs = inputs_of(to, work.secrets, setup_.pipeline ? &*setup_.pipeline : nullptr, masker_,
                       promoted_);
  } catch (const Error& e) {
    refused(target, e.what());
    ended_at_once_ = true;
    return;
  }
  start(target, Purpose::launch, words, inputs);
}

// An order to start it may have arrived. Since nothing more is to be started it is not given again:
// its host is asked whether a run has its key.
void Supervisor::find(std::size_t target) {
  work_[target].printed.clear();
  start(target, Purpose::find, {"status", "--key", key_of(target), "--json"});
}

// An order that is under way still finds the lock a moment later: who has no run is asked once
// more.
void Supervisor::found(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (const auto obstacle = obstacle_to(to, event)) {
    return blocked(target, Purpose::find, *obstacle);
  }
  Work& work = work_[target];
  const json said = answer_in(work.printed);
  if (!said.is_object() || !said.contains("key")) {
    return refused(target,
                   "whether its run has begun is not known: " + reason_of(work.printed, event));
  }
  heard(target);
  const json& key = said["key"];
  if (const std::int64_t run = number_at(key, "run"); run > 0) {
    return has_begun(target, static_cast<std::uint64_t>(run));
  }
  if (const std::int64_t removed = number_at(key, "removed_run"); removed > 0) {
    return target_ended(target, static_cast<int>(ExitCode::needs_person),
                        "run " + std::to_string(removed) +
                            ", which it was, was removed from the history there, so that how it "
                            "ended is not known; see `" +
                            command_text(to, "status") + "`");
  }
  const bool planned = flag_at(key, "planned");
  if (!planned && std::exchange(work.not_found, true)) return put_off(target);
  work.not_found = work.not_found && !planned;
  retries_.at(steady_milliseconds() + find_again.count(), tag_of(target, Purpose::find));
}

void Supervisor::has_begun(std::size_t target, std::uint64_t run) {
  targets_[target].run = run;
  store_.save_target(rollout_.id, target, targets_[target]);
  heard(target);
  work_[target].secrets = {};
  attach(target);
  if (work_[target].cancel_wanted) cancel(target);
}

// Its wave has failed while it was looked at, or while its host was away.
void Supervisor::put_off(std::size_t target) {
  TargetRecord& record = targets_[target];
  record.state = TargetState::waiting;
  record.exit_code = -1;
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
  const bool is_short = purpose == Purpose::ask || purpose == Purpose::look ||
                        purpose == Purpose::show || purpose == Purpose::find ||
                        purpose == Purpose::cancel;
  if (is_short) command.timeout = short_command_timeout(rollout_.plan);
  pool_.start(tag_of(target, purpose), command, input);
}

void Supervisor::launched(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  const json said = answer_in(work.printed);
  if (event.code == 0 && said.is_object() && number_at(said, "run") > 0) {
    has_begun(target, static_cast<std::uint64_t>(number_at(said, "run")));
  } else if (const auto obstacle = obstacle_to(to, event)) {
    blocked(target, Purpose::launch, *obstacle);
  } else if ((event.code == 0 || (event.code < 0 && event.signal != 0)) && work.patience.died()) {
    work.may_run = true;
    launch(target);  // the same key: whatever it had begun is found
  } else if (event.code == static_cast<int>(ExitCode::refused) ||
             (event.code < 0 && event.signal == 0)) {  // or it was not started
    refused(target, reason_of(work.printed, event));
  } else {
    const int code = event.code > 0 ? event.code : static_cast<int>(ExitCode::needs_person);
    const std::string unknown = event.code > 0
                                    ? ""
                                    : "; whether a run goes on there is not known, see `" +
                                          command_text(to, "status") + "`";
    target_ended(target, code, reason_of(work.printed, event) + unknown);
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
  } else if (const auto obstacle = obstacle_to(to, event)) {
    blocked(target, Purpose::follow, *obstacle);
  } else if (event.code != 0 && work.patience.died()) {
    follow(target);  // the run itself is not touched by that
  } else {
    show(target);
  }
}

// Its log has ended, or cannot be followed, without an end: the journal there may have one.
void Supervisor::show(std::size_t target) {
  work_[target].printed.clear();
  start(target, Purpose::show, {"show", std::to_string(targets_[target].run), "--json"});
}

void Supervisor::shown(std::size_t target, const ChildEvent& event) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work& work = work_[target];
  if (const auto obstacle = obstacle_to(to, event))
    return blocked(target, Purpose::show, *obstacle);
  const json said = answer_in(work.printed);
  if (work.log.take_shown(said)) {
    const json& finished = work.log.finished();
    return target_ended(target, code_of_run(finished), reason_of_run(finished));
  }
  if (flag_at(said, "going_on")) {  // followed again, as long as it does
    retries_.at(steady_milliseconds() + look_again.count(), tag_of(target, Purpose::follow));
    return;
  }
  const std::string why = said.is_object() && !said.contains("error")
                              ? ""
                              : " (" + reason_of(work.printed, event) + ")";
  target_ended(target, static_cast<int>(ExitCode::needs_person),
               "run " + std::to_string(targets_[target].run) + " ended without having told how" +
                   why + "; see `" + command_text(to, "status") + "`");
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
  const auto obstacle = obstacle_to(rollout_.plan.targets[target], event);
  if (!obstacle || !obstacle->may_pass()) return;
  retries_.at(steady_milliseconds() + cancel_again.count(), tag_of(target, Purpose::cancel));
}

// The run there, if there is one, goes on; only nobody sees it.
void Supervisor::blocked(std::size_t target, Purpose purpose, const Obstacle& obstacle) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (to.host.empty()) {
    return refused(target, obstacle.sentence);
  }
  Work& work = work_[target];
  work.may_run =
      work.may_run || (purpose != Purpose::look && obstacle.kind == Obstacle::Kind::lost);
  const bool was_away = work.patience.is_away();
  const milliseconds longest = rollout_.plan.ssh.reconnect;
  const auto again =
      obstacle.may_pass() ? work.patience.lost(steady_milliseconds(), longest) : std::nullopt;
  if (!again) return give_up(target, obstacle.sentence);
  retries_.at(*again, tag_of(target, purpose));
  if (targets_[target].run == 0 && !work.may_run) set_aside(target);
  if (was_away) return;
  report_.warning(to.name + ": " + obstacle.sentence + "; trying again for " +
                  format_duration(longest) +
                  (purpose == Purpose::follow ? ", while its run goes on by itself" : ""));
}

// Nothing goes on there, so that another one may have its place. It takes one again for each look.
void Supervisor::set_aside(std::size_t target) {
  TargetRecord& record = targets_[target];
  record.state = TargetState::waiting;
  record.started.clear();
  store_.save_target(rollout_.id, target, record);
  schedule_.away(target);
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
  if (targets_[target].state == TargetState::waiting) return schedule_.back(target);
  switch (purpose_of(tag)) {
    case Purpose::launch:
      return launch(target);
    case Purpose::find:
      return find(target);
    case Purpose::follow:
      return follow(target);
    case Purpose::look:
      return begin(target);
    case Purpose::show:
      return show(target);
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

}  // namespace drydock
