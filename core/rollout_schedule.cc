#include "rollout_schedule.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace drydock {

Schedule::Schedule(std::vector<ScheduledWave> waves, bool cancel_on_budget)
    : Schedule(std::move(waves), cancel_on_budget, {}, {}) {}

Schedule::Schedule(std::vector<ScheduledWave> waves, bool cancel_on_budget,
                   const std::vector<TargetState>& targets, const std::vector<KnownWave>& known)
    : waves_(std::move(waves)),
      known_(known),
      targets_(targets),
      cancel_on_budget_(cancel_on_budget) {
  known_.resize(waves_.size());
  targets_.resize(
      std::accumulate(waves_.begin(), waves_.end(), std::size_t{0},
                      [](std::size_t sum, const ScheduledWave& wave) { return sum + wave.count; }));
  away_.resize(targets_.size());
  count();
}

// How the environments of the wave stand.
void Schedule::count() {
  next_ = first_;
  elsewhere_ =
      static_cast<std::size_t>(std::count(targets_.begin(), targets_.end(), TargetState::running));
  running_ = failed_ = unreachable_ = skipped_ = waiting_ = put_back_ = 0;
  cancelled_ = gate_asked_ = gate_failed_ = false;
  if (wave_ == waves_.size()) return;
  for (std::size_t i = first_; i < first_ + waves_[wave_].count; ++i) {
    count(targets_[i]);
  }
  elsewhere_ -= running_;
}

void Schedule::count(TargetState state) {
  running_ += state == TargetState::running ? 1 : 0;
  failed_ += state == TargetState::failed ? 1 : 0;
  waiting_ += state == TargetState::waiting ? 1 : 0;
  unreachable_ += state == TargetState::unreachable ? 1 : 0;
  skipped_ += state == TargetState::skipped ? 1 : 0;
  const bool goes_back = state == TargetState::rolling_back || state == TargetState::rolled_back ||
                         state == TargetState::not_put_back || state == TargetState::abandoned;
  put_back_ += goes_back ? 1 : 0;
}

bool Schedule::nothing_upgraded() const {
  return wave_ < waves_.size() && waves_[wave_].count > 0 &&
         failed_ + unreachable_ + skipped_ == waves_[wave_].count;
}

bool Schedule::budget_spent() const {
  return wave_ < waves_.size() &&
         (failed_ > waves_[wave_].max_failures || unreachable_ > waves_[wave_].max_unreachable);
}

Schedule::Decision Schedule::decide(Instant now) {
  if (wave_ == waves_.size()) {
    Decision decision;
    decision.end = End::passed;
    return decision;
  }
  // A wave is not begun again while a later one is at work.
  if (elsewhere_ > 0 && !known_[wave_].passed && waves_[wave_].count > 0) return {};
  const bool over = running_ == 0 && (waiting_ == 0 || over_budget() || put_back());
  return over ? leave(now) : work(now);
}

Schedule::Decision Schedule::work(Instant) {
  Decision decision;
  const ScheduledWave& wave = waves_[wave_];
  if (over_budget() || put_back()) {
    if (!cancel_on_budget_ || std::exchange(cancelled_, true)) return decision;
    for (std::size_t i = first_; i < first_ + wave.count; ++i) {
      if (targets_[i] == TargetState::running) decision.cancel.push_back(i);
    }
    return decision;
  }
  const std::size_t end = first_ + wave.count;
  for (std::size_t i = next_; i < end && running_ < wave.parallel; ++i) {
    if (targets_[i] != TargetState::waiting || away_[i]) continue;
    targets_[i] = TargetState::running;
    --waiting_;
    ++running_;
    decision.start.push_back(i);
  }
  while (next_ < end && targets_[next_] != TargetState::waiting) ++next_;
  return decision;
}

// Nothing of the wave runs any more: what must hold before the next one, in its order.
Schedule::Decision Schedule::leave(Instant now) {
  Decision decision;
  const ScheduledWave& wave = waves_[wave_];
  KnownWave& known = known_[wave_];
  if (over_budget() || gate_failed_ || put_back() || nothing_upgraded()) {
    decision.end = End::failed;
    return decision;
  }
  if (wave.count > 0 && !known.passed) {
    if (!known.ended) {
      known.ended = now;
      decision.ended_wave = wave_;
    }
    if (const Instant over = *known.ended + wave.soak.count(); !known.gate_held && now < over) {
      decision.not_before = over;
      return decision;
    }
    if (wave.gate && !known.gate_held) {
      if (!std::exchange(gate_asked_, true)) decision.gate = wave_;
      return decision;
    }
    if (wave.approve && !known.approved) {
      decision.approval = wave_;
      return decision;
    }
  }
  known.passed = true;
  decision.passed_wave = wave_;
  first_ += wave.count;
  ++wave_;
  count();
  return decision;
}

void Schedule::finished(std::size_t target, bool well) {
  ended(target, well ? TargetState::done : TargetState::failed);
}

void Schedule::unreachable(std::size_t target) { ended(target, TargetState::unreachable); }

void Schedule::skipped(std::size_t target) { ended(target, TargetState::skipped); }

// One of a later wave is counted when that is at work.
void Schedule::refused(std::size_t target) {
  targets_[target] = TargetState::failed;
  if (!is_at_work(target)) return;
  --waiting_;
  count(TargetState::failed);
}

void Schedule::not_begun(std::size_t target) {
  ended(target, TargetState::waiting);
  if (is_at_work(target)) next_ = std::min(next_, target);
}

void Schedule::away(std::size_t target) {
  not_begun(target);
  away_[target] = true;
}

void Schedule::back(std::size_t target) { away_[target] = false; }

void Schedule::ended(std::size_t target, TargetState how) {
  targets_[target] = how;
  if (!is_at_work(target)) {
    --elsewhere_;
    return;
  }
  --running_;
  count(how);
}

void Schedule::gate(bool held) {
  known_[wave_].gate_held = held;
  gate_failed_ = !held;
}

void Schedule::approved(std::size_t wave) { known_[wave].approved = true; }

}  // namespace drydock
