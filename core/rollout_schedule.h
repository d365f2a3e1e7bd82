// Which environments of a rollout may start, be cancelled or be waited for: the whole of its rules,
// and no more than that. It does nothing itself and has no clock: whoever carries it out says what
// has happened, and what time it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace drydock {

using Instant = std::int64_t;  // milliseconds since the epoch

struct ScheduledWave {
  std::size_t count = 0;  // its environments follow those of the wave before
  unsigned parallel = 1, max_failures = 0, max_unreachable = 0;
  std::chrono::milliseconds soak{0};
  bool gate = false, approve = false;
};

enum class TargetState {
  waiting,
  running,
  done,
  failed,
  unreachable,   // its host is away, and what became of its run is not known; not a failure
  skipped,       // it was found at something else than expected, and is left out
  rolling_back,  // it was done, and is put back with its wave
  rolled_back,
  not_put_back,  // its rollback has failed, so that it stands upgraded, as far as anybody knows
  abandoned,     // it was to be put back, and a person does that instead
};

// Of a wave, when the schedule begins: what an earlier supervisor has seen of it.
struct KnownWave {
  std::optional<Instant> ended;  // its last environment
  bool gate_held = false, approved = false;
  bool stopped = false;  // its environments disagree
  bool passed = false;   // what must hold after it has held
};

class Schedule {
 public:
  Schedule(std::vector<ScheduledWave> waves, bool cancel_on_budget);
  // To go on with one: what is known of each environment and of each wave.
  Schedule(std::vector<ScheduledWave> waves, bool cancel_on_budget,
           const std::vector<TargetState>& targets, const std::vector<KnownWave>& known);

  enum class End { none, passed, failed };
  struct Decision {
    std::vector<std::size_t> start;          // these are running from now on
    std::vector<std::size_t> cancel;         // once each
    std::optional<std::size_t> ended_wave;   // its last environment has ended, just now
    std::optional<std::size_t> gate;         // to be asked, once until gate() answers
    std::optional<std::size_t> approval;     // the wave that waits for one
    std::optional<std::size_t> passed_wave;  // just now
    std::optional<Instant> not_before;       // nothing changes until then, unless something happens
    End end = End::none;                     // nothing is running any more, and nothing will
  };
  // What may be done now. Of the waves at most one passes in a decision: ask again while one does.
  Decision decide(Instant now);

  // What has happened to what a decision started.
  void finished(std::size_t target, bool well);
  void unreachable(std::size_t target);  // given up
  void not_begun(std::size_t target);    // it waits again
  // Not begun either, since its host is away: it waits, while others may start, until back().
  void away(std::size_t target);
  void back(std::size_t target);  // or it is to be looked whether it is
  void skipped(std::size_t target);
  void refused(std::size_t target);  // it waits, and cannot be begun: it has failed
  void gate(bool held);
  // Of a wave that waits, or will.
  void approved(std::size_t wave);
  // Nothing more of the wave is started, and it fails: its environments disagree.
  void stop(std::size_t wave) { known_[wave].stopped = true; }

  std::size_t wave() const { return wave_; }  // the one that is at work; of all, when it has ended
  std::size_t running() const { return running_ + elsewhere_; }
  std::size_t failed() const { return failed_; }  // of that wave
  std::size_t unreachable() const { return unreachable_; }
  // More have failed, or were not reached, than may.
  bool budget_spent() const;
  // That, or it was stopped: nothing more of the wave is started.
  bool over_budget() const {
    return budget_spent() || (wave_ < waves_.size() && known_[wave_].stopped);
  }
  bool gate_failed() const { return gate_failed_; }
  bool put_back() const { return put_back_ > 0; }
  // None of its environments is upgraded: they have failed, as many as may, were away or are left
  // out. It has verified nothing.
  bool nothing_upgraded() const;

 private:
  bool is_at_work(std::size_t target) const {
    return wave_ < waves_.size() && target >= first_ && target - first_ < waves_[wave_].count;
  }
  void count();
  void count(TargetState state);
  void ended(std::size_t target, TargetState how);
  Decision work(Instant now);
  Decision leave(Instant now);

  std::vector<ScheduledWave> waves_;
  std::vector<KnownWave> known_;
  std::vector<TargetState> targets_;
  std::vector<bool> away_;
  bool cancel_on_budget_;
  std::size_t wave_ = 0, first_ = 0, next_ = 0;  // next_: the first that may be waiting
  std::size_t running_ = 0, failed_ = 0, unreachable_ = 0, skipped_ = 0, waiting_ = 0,
              put_back_ = 0;
  // They run, in other waves: of a wave that was at work when an earlier one was begun again.
  std::size_t elsewhere_ = 0;
  bool cancelled_ = false, gate_asked_ = false, gate_failed_ = false;
};

}  // namespace drydock
