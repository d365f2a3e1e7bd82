#include "rollout_way_back.h"

#include <algorithm>
#include <map>

#include "json_text.h"
#include "rollout_patience.h"
#include "rollout_standing.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

// "": it is not said.
std::string state_in(const std::string& shown) {
  const json run = answer_in(shown);
  return run.is_object() ? text_at(run, "state") : "";
}

}  // namespace

std::vector<std::size_t> way_back(const RolloutWave& wave,
                                  const std::vector<TargetRecord>& targets) {
  std::vector<std::size_t> order;
  for (std::size_t i = wave.first + wave.count; i-- > wave.first;) {
    const bool upgraded = targets[i].state == TargetState::done && targets[i].run != 0;
    if (upgraded || is_to_be_put_back(targets[i])) order.push_back(i);
  }
  const auto rank = [&](std::size_t i) { return is_to_be_put_back(targets[i]); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return rank(a) != rank(b) ? rank(a) : targets[a].finished > targets[b].finished;
  });
  return order;
}

// A rollback's number is what it is called with, and `show` says how it stands where its own answer
// does not: one whose link was lost goes on by itself.
struct WayBack::Work {
  std::vector<TargetRecord>& targets;
  ChildPool pool;
  Retries retries;
  struct One {
    std::string printed, reason;
    bool shows = false;    // it is `show` that works
    bool again = false;    // and where it is not put back it is rolled back once more
    bool waits = false;    // the same where another command is at that
    bool pauses = false;   // nothing works: its host is away, or others have the place
    bool cut_off = false;  // a rollback may go on there
    Patience link;
    Patience rollbacks;  // that ended without a word
  };
  std::map<std::size_t, One> going_on;
  std::vector<std::size_t> again;  // to be rolled back once more

  // One whose host is away leaves its place to another one.
  std::size_t at_work() const {
    return static_cast<std::size_t>(std::count_if(
        going_on.begin(), going_on.end(), [](const auto& each) { return !each.second.pauses; }));
  }
};

void WayBack::carry_out(std::size_t wave, std::vector<TargetRecord>& targets,
                        const std::string& why) {
  const RolloutWave& of = rollout_.plan.waves[wave];
  const std::vector<std::size_t> order = way_back(of, targets);
  if (order.empty()) return;
  store_.begin_way_back(rollout_.id, wave, order, why);
  for (const std::size_t target : order) {
    targets[target].state = TargetState::rolling_back;
    targets[target].exit_code = static_cast<int>(ExitCode::done);  // that of its upgrade
  }
  report_.way_back_begins(of, order.size());
  Work work{targets, {}, {}, {}, {}};
  for (std::size_t next = 0; next < order.size() || !work.going_on.empty();) {
    const bool leaves = cancellation_.requested();
    if (leaves) std::erase_if(work.going_on, [](const auto& each) { return each.second.pauses; });
    if (leaves && work.going_on.empty()) break;
    while (!leaves && work.at_work() < of.parallel) {
      if (!work.again.empty()) {
        roll_back(work, work.again.front());
        work.again.erase(work.again.begin());
      } else if (next < order.size()) {
        begin(work, order[next++]);
      } else {
        break;
      }
    }
    report_.redraw(targets);
    // Once cancelled nothing wakes this but the ends of those that have begun.
    const int wake = leaves ? -1 : cancellation_.fd();
    for (const ChildEvent& event : work.pool.wait(wait_for(work), wake)) {
      if (event.for_want) throw Error(event.error, ExitCode::needs_person);
      if (event.ended) {
        ended(work, event.tag, event);
      } else {
        add_line(work.going_on[event.tag].printed, event.text);
      }
    }
    for (const std::size_t target : work.retries.due(steady_milliseconds())) {
      if (work.going_on.count(target) != 0) show(work, target);
    }
    if (store_.is_shared()) store_.renew();
  }
  std::vector<std::size_t> left = way_back(of, targets);
  std::erase_if(left,
                [&](std::size_t each) { return targets[each].state == TargetState::not_put_back; });
  if (!left.empty()) leave(of, left);
}

void WayBack::leave(const RolloutWave& wave, const std::vector<std::size_t>& left) const {
  const std::string go_on = ". Go on with: " + commands_.of("resume");
  const std::string count = count_of(static_cast<std::int64_t>(left.size()), "environment");
  if (cancellation_.requested()) {
    throw WayBackLeft("the rollout '" + rollout_.plan.name + "' was left while the wave '" +
                          wave.name + "' was being put back; " + count + " of it still to come" +
                          go_on,
                      ExitCode::busy);
  }
  std::vector<std::string> names;
  for (const std::size_t target : left) names.push_back(rollout_.plan.targets[target].name);
  throw WayBackLeft(
      "of the wave '" + wave.name + "' of the rollout '" + rollout_.plan.name + "' " + count +
          (left.size() == 1 ? " is" : " are") +
          " not known to be put back, since nobody could ask there: " + join(names, ", ") + go_on +
          " (or, where nobody will be able to ask there any more, put it back yourself and say "
          "so: " +
          commands_.of("rollback",
                       "--abandon --env " + shell_word(names.front()) + " --comment WHY") +
          ")",
      ExitCode::needs_person);
}

std::chrono::milliseconds WayBack::wait_for(const Work& work) const {
  auto most = std::min(lease_renewed_every, report_.redrawn_every().value_or(lease_renewed_every));
  if (const auto retry = work.retries.next()) {
    most = std::min(
        most, std::chrono::milliseconds(std::max<Instant>(0, *retry - steady_milliseconds())));
  }
  return most;
}

void WayBack::begin(Work& work, std::size_t target) {
  TargetRecord& record = work.targets[target];
  if (!record.reason.empty()) {  // why an earlier supervisor has given it up
    record.reason.clear();
    store_.save_target(rollout_.id, target, record);
  }
  work.going_on[target] = {};
  report_.target_goes_back(rollout_.plan.targets[target], record);
  roll_back(work, target);
}

void WayBack::roll_back(Work& work, std::size_t target) {
  store_.require_lease();
  Work::One& one = work.going_on[target];
  one.shows = one.again = one.waits = one.pauses = false;
  one.printed.clear();
  const std::string run = std::to_string(work.targets[target].run);
  ChildCommand command =
      hosts_.command(rollout_.plan.targets[target],
                     {"rollback", run, "--yes", "--accept-loss", "--json", "--lock-wait", "1h"});
  command.outlives_us = true;
  work.pool.start(target, command);
}

void WayBack::show(Work& work, std::size_t target) {
  Work::One& one = work.going_on[target];
  one.shows = true;
  one.pauses = false;
  one.printed.clear();
  work.pool.start(target,
                  hosts_.command(rollout_.plan.targets[target],
                                 {"show", std::to_string(work.targets[target].run), "--json"}));
}

void WayBack::ended(Work& work, std::size_t target, const ChildEvent& event) {
  Work::One& one = work.going_on[target];
  const RolloutTarget& to = rollout_.plan.targets[target];
  if (const auto obstacle = obstacle_to(to, event)) {
    return blocked(work, target, *obstacle);
  }
  if (event.code < 0 && event.signal == 0) return not_known(work, target, event.error);
  if (one.link.is_away()) report_.warning(to.name + ": reached again");
  one.link.heard();
  const std::string state = one.shows ? state_in(one.printed) : "";
  if (state == "rolled_back" || (!one.shows && event.code == 0)) {
    put_back(work.targets, target);
  } else if (one.shows && (one.again || (one.waits && state == "rolling_back"))) {
    one.pauses = true;
    work.again.push_back(target);
    return;
  } else if (one.shows) {
    not_put_back(work.targets, target, one.reason);
  } else {
    one.again = event.code < 0 && one.rollbacks.died();  // it was killed
    one.waits = event.code == static_cast<int>(ExitCode::busy);
    one.reason = reason_of(one.printed, event);
    return show(work, target);
  }
  work.going_on.erase(target);
}

// The rollback there, if it has begun, goes on; only nobody sees it.
void WayBack::blocked(Work& work, std::size_t target, const Obstacle& obstacle) {
  const RolloutTarget& to = rollout_.plan.targets[target];
  Work::One& one = work.going_on[target];
  const bool cut_off = !one.shows && obstacle.kind == Obstacle::Kind::lost;
  one.cut_off = one.cut_off || cut_off;
  const bool tries = !to.host.empty() && obstacle.may_pass() && (!cut_off || one.rollbacks.died());
  const bool was_away = one.link.is_away();
  const std::chrono::milliseconds longest = rollout_.plan.ssh.reconnect;
  const auto again = tries ? one.link.lost(steady_milliseconds(), longest) : std::nullopt;
  if (!again) return not_known(work, target, obstacle.sentence);
  one.again = one.pauses = true;
  work.retries.at(*again, target);
  if (was_away) return;
  report_.warning(to.name + ": " + obstacle.sentence + "; trying again for " +
                  format_duration(longest) +
                  (one.cut_off ? ", while its rollback goes on by itself" : ""));
}

// It stays to be put back: whoever goes on with the rollout looks again.
void WayBack::not_known(Work& work, std::size_t target, const std::string& why) {
  TargetRecord& record = work.targets[target];
  record.reason =
      masker_.mask(why + (work.going_on[target].cut_off ? "; its rollback may go on there" : ""));
  store_.save_target(rollout_.id, target, record);
  report_.target_ended(rollout_.plan.targets[target], record);
  work.going_on.erase(target);
}

void WayBack::put_back(std::vector<TargetRecord>& targets, std::size_t target) {
  TargetRecord& record = targets[target];
  const RolloutTarget& to = rollout_.plan.targets[target];
  record.state = TargetState::rolled_back;
  record.exit_code = static_cast<int>(ExitCode::rolled_back);
  record.reason = "its wave was put back";
  record.finished = utc_now();
  // Last what says that nobody need look again.
  const std::string place = place_of(to, host_name());
  store_.forget_environment(place);
  store_.set_run_state(place, record.run, "rolled_back", record.exit_code);
  store_.save_target(rollout_.id, target, record);
  report_.target_ended(to, record);
}

// It has ended, and stays to be put back once a person has looked.
void WayBack::not_put_back(std::vector<TargetRecord>& targets, std::size_t target,
                           const std::string& reason) {
  TargetRecord& record = targets[target];
  record.state = TargetState::not_put_back;
  record.exit_code = static_cast<int>(ExitCode::needs_person);
  record.reason = masker_.mask("its rollback failed: " + reason);
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  report_.target_ended(rollout_.plan.targets[target], record);
}

}  // namespace drydock
