#include "rollout_way_back.h"

#include <algorithm>
#include <map>

#include "json_text.h"
#include "rollout_answer.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

// What its exit code does not say: it was rolled back already, by another supervisor's command.
bool is_rolled_back(const std::string& shown) {
  const json run = json::parse(shown, nullptr, false);
  return run.is_object() && text_at(run, "state") == "rolled_back";
}

}  // namespace

std::vector<std::size_t> way_back(const RolloutWave& wave,
                                  const std::vector<TargetRecord>& targets) {
  std::vector<std::size_t> order;
  for (std::size_t i = wave.first + wave.count; i-- > wave.first;) {
    const bool upgraded = targets[i].state == TargetState::done && targets[i].run != 0;
    if (upgraded || targets[i].state == TargetState::rolling_back) order.push_back(i);
  }
  const auto rank = [&](std::size_t i) { return targets[i].state == TargetState::rolling_back; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return rank(a) != rank(b) ? rank(a) : targets[a].finished > targets[b].finished;
  });
  return order;
}

// A rollback's number is what it is called with, and `show` says how it stands where its own answer
// does not.
struct WayBack::Work {
  std::vector<TargetRecord>& targets;
  ChildPool pool;
  struct One {
    std::string printed, reason;
    bool shows = false;  // it is `show` that works
  };
  std::map<std::size_t, One> going_on;
};

void WayBack::carry_out(std::size_t wave, std::vector<TargetRecord>& targets) {
  const RolloutWave& of = rollout_.plan.waves[wave];
  const std::vector<std::size_t> order = way_back(of, targets);
  if (order.empty()) return;
  report_.way_back_begins(of, order.size());
  Work work{targets, {}, {}};
  for (std::size_t next = 0; next < order.size() || !work.going_on.empty();) {
    const bool leaves = cancellation_.requested();
    if (leaves && work.going_on.empty()) break;
    while (!leaves && next < order.size() && work.going_on.size() < of.parallel) {
      begin(work, order[next++]);
    }
    report_.redraw(targets);
    const auto most =
        std::min(lease_renewed_every, report_.redrawn_every().value_or(lease_renewed_every));
    // Once cancelled nothing wakes this but the ends of those that have begun.
    const int wake = leaves ? -1 : cancellation_.fd();
    for (const ChildEvent& event : work.pool.wait(most, wake)) {
      if (event.for_want) throw Error(event.error, ExitCode::needs_person);
      if (event.ended) {
        ended(work, event.tag, event);
      } else {
        add_line(work.going_on[event.tag].printed, event.text);
      }
    }
    if (store_.is_shared()) store_.renew();
  }
  const std::vector<std::size_t> left = way_back(of, targets);
  if (left.empty()) return;
  throw Error("the rollout '" + rollout_.plan.name + "' was left while the wave '" + of.name +
                  "' was being put back; " +
                  count_of(static_cast<std::int64_t>(left.size()), "environment") +
                  " of it still to come. Go on with: drydock rollout resume " +
                  shell_word(rollout_.plan.file),
              ExitCode::busy);
}

void WayBack::begin(Work& work, std::size_t target) {
  store_.require_lease();
  TargetRecord& record = work.targets[target];
  record.state = TargetState::rolling_back;
  store_.save_target(rollout_.id, target, record);  // before it is
  work.going_on[target] = {};
  const std::string run = std::to_string(record.run);
  report_.target_goes_back(rollout_.plan.targets[target], record);
  ChildCommand command =
      hosts_.command(rollout_.plan.targets[target],
                     {"rollback", run, "--yes", "--accept-loss", "--json", "--lock-wait", "1h"});
  command.outlives_us = true;
  work.pool.start(target, command);
}

void WayBack::ended(Work& work, std::size_t target, const ChildEvent& event) {
  Work::One& one = work.going_on[target];
  if (one.shows) {
    if (is_rolled_back(one.printed)) {
      put_back(work.targets, target);
    } else {
      not_put_back(work.targets, target, one.reason);
    }
  } else if (event.code == 0) {
    put_back(work.targets, target);
  } else {
    const RolloutTarget& to = rollout_.plan.targets[target];
    const auto obstacle = obstacle_to(to, event);
    one.reason = obstacle ? obstacle->sentence : reason_of(one.printed, event);
    one.printed.clear();
    one.shows = true;
    work.pool.start(
        target, hosts_.command(to, {"show", std::to_string(work.targets[target].run), "--json"}));
    return;
  }
  work.going_on.erase(target);
}

void WayBack::put_back(std::vector<TargetRecord>& targets, std::size_t target) {
  TargetRecord& record = targets[target];
  const RolloutTarget& to = rollout_.plan.targets[target];
  record.state = TargetState::rolled_back;
  record.exit_code = static_cast<int>(ExitCode::rolled_back);
  record.reason = "its wave was put back";
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  const std::string place = place_of(to, host_name());
  store_.forget_environment(place);
  store_.set_run_state(place, record.run, "rolled_back", record.exit_code);
  report_.target_ended(to, record);
}

void WayBack::not_put_back(std::vector<TargetRecord>& targets, std::size_t target,
                           const std::string& reason) {
  TargetRecord& record = targets[target];
  record.state = TargetState::failed;
  record.exit_code = static_cast<int>(ExitCode::needs_person);
  record.reason = masker_.mask("it could not be put back with its wave: " + reason);
  record.finished = utc_now();
  store_.save_target(rollout_.id, target, record);
  report_.target_ended(rollout_.plan.targets[target], record);
}

}  // namespace drydock
