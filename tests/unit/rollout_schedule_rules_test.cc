#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "rollout_schedule.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

// A world of fake workers and a fake clock, which knows the rules in its own words: it counts what
// runs, what failed and what was promised, and says what was broken.
class World {
 public:
  World(std::vector<ScheduledWave> waves, bool cancel_on_budget, unsigned seed)
      : waves_(std::move(waves)), cancel_(cancel_on_budget), random_(seed) {
    for (std::size_t wave = 0; wave < waves_.size(); ++wave) {
      for (std::size_t i = 0; i < waves_[wave].count; ++i) wave_of_.push_back(wave);
    }
    states_.resize(wave_of_.size(), TargetState::waiting);
    known_.resize(waves_.size());
    totals_.resize(waves_.size());
    fails_ = chance(50) ? 0 : static_cast<int>(random_() % 30);
    absent_ = chance(70) ? 0 : static_cast<int>(random_() % 60);
    not_there_ = chance(50) ? 0 : static_cast<int>(random_() % 60);
    disagree_ = chance(80) ? 0 : static_cast<int>(random_() % 10);
    refused_ = chance(70) ? 0 : static_cast<int>(random_() % 20);
  }

  // "" or the first rule that was broken. restart_percent: how often the supervisor dies;
  // most_retries: how often the next one begins again what failed or was away.
  std::string play(int restart_percent, int most_retries = 0) {
    Schedule schedule(waves_, cancel_);
    for (;;) {
      refuse_some(schedule);
      const Schedule::Decision decision = schedule.decide(now_);
      perform(decision);
      if (!decision.passed_wave) look_for_an_empty_place(schedule);
      if (!broken_.empty()) return broken_;
      if (decision.end != Schedule::End::none) return judge_end(decision.end);
      if (decision.passed_wave) {
        known_[*decision.passed_wave].passed = waves_[*decision.passed_wave].count > 0;
        continue;
      }
      if (!happen(schedule, decision)) return "it stands still with nothing to wait for";
      if (chance(restart_percent)) {
        if (most_retries > 0 && chance(50)) {
          --most_retries;
          begin_again();
        }
        schedule = Schedule(waves_, cancel_, states_, known_);
        is_away_.clear();  // it finds out anew
        asked_gate_.reset();
        refused_ = chance(70) ? 0 : static_cast<int>(random_() % 20);
      }
    }
  }
  Schedule::End end() const { return end_; }
  std::size_t most_running() const { return most_running_; }
  std::size_t started() const {
    return static_cast<std::size_t>(std::count_if(
        states_.begin(), states_.end(), [](auto state) { return state != TargetState::waiting; }));
  }

 private:
  struct Totals {
    std::size_t running = 0, ended = 0, failed = 0, away = 0;
    std::optional<std::size_t> last_started;
    bool disagrees = false;
  };
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  void broke(const std::string& rule) {
    if (broken_.empty()) broken_ = rule;
  }

  // Whoever is away keeps nobody from being begun.
  void look_for_an_empty_place(const Schedule& schedule) {
    if (begun_again_ || schedule.wave() == waves_.size() || schedule.running() == 0) return;
    const std::size_t wave = schedule.wave();
    if (schedule.over_budget() || totals_[wave].running >= waves_[wave].parallel) return;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const bool may = wave_of_[i] == wave && states_[i] == TargetState::waiting;
      if (may && is_away_.count(i) == 0) broke("a place is empty while one waits");
    }
  }

  // As `rollout resume --retry failed` does, whatever runs in whichever wave.
  void begin_again() {
    begun_again_ = true;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (states_[i] != TargetState::failed && states_[i] != TargetState::unreachable) continue;
      Totals& totals = totals_[wave_of_[i]];
      --totals.ended;
      --(states_[i] == TargetState::failed ? totals.failed : totals.away);
      totals.last_started.reset();
      states_[i] = TargetState::waiting;
      KnownWave& known = known_[wave_of_[i]];
      known.ended.reset();
      known.gate_held = known.passed = false;
    }
  }

  // Hosts that answer before their wave begins that nothing can be begun there.
  void refuse_some(Schedule& schedule) {
    for (std::size_t target = 0; target < states_.size(); ++target) {
      if (states_[target] != TargetState::waiting || !chance(refused_)) continue;
      states_[target] = TargetState::failed;
      ++totals_[wave_of_[target]].ended;
      ++totals_[wave_of_[target]].failed;
      schedule.refused(target);
    }
    refused_ = 0;
  }

  void perform(const Schedule::Decision& decision) {
    for (const std::size_t target : decision.start) start(target);
    for (const std::size_t target : decision.cancel) {
      if (!cancel_) broke("it cancels although it was told to wait");
      if (states_[target] != TargetState::running) broke("it cancels what does not run");
      const Totals& totals = totals_[wave_of_[target]];
      const ScheduledWave& of = waves_[wave_of_[target]];
      const bool spent = totals.failed > of.max_failures || totals.away > of.max_unreachable;
      if (!spent && !totals.disagrees) broke("it cancels too early");
    }
    if (decision.ended_wave) {
      if (totals_[*decision.ended_wave].ended != waves_[*decision.ended_wave].count) {
        broke("a wave ended before its environments");
      }
      known_[*decision.ended_wave].ended = now_;
    }
    if (decision.gate) {
      if (asked_gate_) broke("a gate is asked twice at once");
      if (now_ < soaked(*decision.gate)) broke("a gate is asked before the soak is over");
      asked_gate_ = decision.gate;
    }
  }

  void start(std::size_t target) {
    const std::size_t wave = wave_of_[target];
    Totals& totals = totals_[wave];
    for (std::size_t other = 0; other < waves_.size(); ++other) {
      if (other != wave && totals_[other].running > 0)
        broke("one is started while another wave runs");
    }
    if (states_[target] != TargetState::waiting) broke("an environment is started twice");
    if (totals.failed > waves_[wave].max_failures) broke("one is started past the budget");
    if (totals.away > waves_[wave].max_unreachable) broke("one is started with too many away");
    if (totals.disagrees) broke("one is started although others disagree");
    if (is_away_.count(target) != 0) broke("one is started whose host is away");
    const bool in_order = was_away_.count(target) != 0 || totals.last_started < target;
    if (!in_order) broke("the order is another one");
    for (std::size_t before = 0; before < wave; ++before) {
      if (totals_[before].ended != waves_[before].count) broke("a wave before has not ended");
      if (totals_[before].failed > waves_[before].max_failures) broke("a wave before has failed");
      if (waves_[before].count == 0) continue;
      if (!any_done(before)) broke("a wave before has upgraded nothing");
      if (now_ < soaked(before)) broke("a wave before has not soaked");
      if (waves_[before].gate && !known_[before].gate_held) broke("a gate before does not hold");
      if (waves_[before].approve && !known_[before].approved) broke("nobody has approved");
    }
    states_[target] = TargetState::running;
    if (was_away_.count(target) == 0) totals.last_started = target;
    most_running_ = std::max(most_running_, ++totals.running);
    if (totals.running > waves_[wave].parallel) broke("more run than may at once");
    ends_.emplace(now_ + 1 + static_cast<Instant>(random_() % 1000), target);
  }

  Instant soaked(std::size_t wave) const {
    if (!known_[wave].ended) return std::numeric_limits<Instant>::max();
    return *known_[wave].ended + waves_[wave].soak.count();
  }

  bool any_done(std::size_t wave) const {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (wave_of_[i] == wave && states_[i] == TargetState::done) return true;
    }
    return false;
  }

  // The next thing that happens by itself.
  bool happen(Schedule& schedule, const Schedule::Decision& decision) {
    if (!looks_.empty() && (ends_.empty() || looks_.begin()->first < ends_.begin()->first)) {
      const auto [time, target] = *looks_.begin();
      looks_.erase(looks_.begin());
      now_ = std::max(now_, time);
      is_away_.erase(target);
      schedule.back(target);
      return true;
    }
    if (!ends_.empty()) {
      const auto [time, target] = *ends_.begin();
      ends_.erase(ends_.begin());
      now_ = std::max(now_, time);
      if (chance(not_there_)) {
        --totals_[wave_of_[target]].running;
        states_[target] = TargetState::waiting;
        is_away_.insert(target);
        was_away_.insert(target);
        looks_.emplace(now_ + static_cast<Instant>(random_() % 2000), target);
        schedule.away(target);
        return true;
      }
      const TargetState how = chance(fails_)    ? TargetState::failed
                              : chance(absent_) ? TargetState::unreachable
                                                : TargetState::done;
      Totals& totals = totals_[wave_of_[target]];
      --totals.running;
      ++totals.ended;
      totals.failed += how == TargetState::failed ? 1 : 0;
      totals.away += how == TargetState::unreachable ? 1 : 0;
      states_[target] = how;
      if (how == TargetState::unreachable) {
        schedule.unreachable(target);
      } else {
        schedule.finished(target, how == TargetState::done);
      }
      if (how == TargetState::done && chance(disagree_)) {
        totals.disagrees = true;
        known_[wave_of_[target]].stopped = true;
        schedule.stop(wave_of_[target]);
      }
      return true;
    }
    if (asked_gate_) {
      known_[*asked_gate_].gate_held = !chance(10);
      schedule.gate(known_[*asked_gate_].gate_held);
      asked_gate_.reset();
      return true;
    }
    if (decision.approval) {
      known_[*decision.approval].approved = true;
      schedule.approved(*decision.approval);
      return true;
    }
    if (!decision.not_before || *decision.not_before <= now_) return false;
    // Woken too early now and then, as any wait may be.
    now_ = chance(30) ? now_ + (*decision.not_before - now_) / 2 : *decision.not_before;
    return true;
  }

  std::string judge_end(Schedule::End end) {
    end_ = end;
    if (!ends_.empty()) return "it ends while environments run";
    if (end == Schedule::End::failed) return "";
    for (std::size_t wave = 0; wave < waves_.size(); ++wave) {
      if (totals_[wave].ended != waves_[wave].count) return "it passes without an environment";
      if (totals_[wave].failed > waves_[wave].max_failures) return "it passes past a budget";
      if (totals_[wave].disagrees) return "it passes although environments disagree";
      if (totals_[wave].away > waves_[wave].max_unreachable) return "it passes with too many away";
      if (waves_[wave].count > 0 && !any_done(wave)) return "a wave passes that upgraded nothing";
    }
    return "";
  }

  std::vector<ScheduledWave> waves_;
  bool cancel_;
  std::mt19937 random_;
  std::vector<std::size_t> wave_of_;
  std::vector<TargetState> states_;
  std::vector<KnownWave> known_;
  std::vector<Totals> totals_;
  std::multimap<Instant, std::size_t> ends_;
  std::multimap<Instant, std::size_t> looks_;
  std::set<std::size_t> is_away_, was_away_;
  bool begun_again_ = false;
  std::optional<std::size_t> asked_gate_;
  Instant now_ = 1'000'000;
  int fails_ = 0, absent_ = 0, not_there_ = 0, disagree_ = 0, refused_ = 0;  // percent
  std::size_t most_running_ = 0;
  Schedule::End end_ = Schedule::End::none;
  std::string broken_;
};

ScheduledWave some_wave(unsigned seed, std::size_t most) {
  std::mt19937 random(seed);
  ScheduledWave wave;
  wave.count = random() % (most + 1);
  wave.parallel = 1 + static_cast<unsigned>(random() % 8);
  wave.max_failures = static_cast<unsigned>(random() % 4);
  wave.max_unreachable = static_cast<unsigned>(random() % 4);
  wave.soak = milliseconds(random() % 3 == 0 ? random() % 100'000 : 0);
  wave.gate = random() % 3 == 0;
  wave.approve = random() % 3 == 0;
  return wave;
}

std::vector<ScheduledWave> some_waves(std::size_t most) {
  std::vector<ScheduledWave> waves;
  for (const unsigned seed :
       *rc::gen::container<std::vector<unsigned>>(rc::gen::arbitrary<unsigned>())) {
    waves.push_back(some_wave(seed, most));
  }
  return waves;
}

World some_world(std::size_t most) {
  return {some_waves(most), *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<unsigned>()};
}

RC_GTEST_PROP(RolloutSchedule, KeepsItsRules, ()) { RC_ASSERT(some_world(30).play(0) == ""); }

RC_GTEST_PROP(RolloutSchedule, KeepsItsRulesWhenTheSupervisorDiesAnywhere, ()) {
  RC_ASSERT(some_world(12).play(25) == "");
}

RC_GTEST_PROP(RolloutSchedule, KeepsItsRulesWhenWhatFailedIsBegunAgain, ()) {
  RC_ASSERT(some_world(12).play(25, 5) == "");
}

TEST(RolloutSchedule, TenThousandEnvironments) {
  int passed = 0;
  for (unsigned seed = 0; seed < 6; ++seed) {
    World world({{1, 1, 0, 0, milliseconds(600'000), true, false},
                 {99, 10, 99, 99, milliseconds(3'600'000), true, true},
                 {9'900, 200, 9'900, 9'900, milliseconds(0), false, false}},
                seed % 2 == 1, seed);
    EXPECT_EQ(world.play(seed % 3 == 0 ? 1 : 0), "") << seed;
    if (world.end() == Schedule::End::passed) {
      ++passed;
      EXPECT_EQ(world.started(), 10'000u);
      EXPECT_EQ(world.most_running(), 200u) << "what may run at once does";
    }
  }
  EXPECT_GE(passed, 2) << "of the worlds in which nothing fails";
}

}  // namespace
}  // namespace drydock
