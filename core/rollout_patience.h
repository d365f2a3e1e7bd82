// How long a rollout tries again when a command ended without the answer that it was to bring: at
// once where the command itself died, with growing pauses where the link to a host is lost.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "rollout_schedule.h"

namespace drydock {

// Milliseconds of a clock that nobody sets: for pauses, not for people.
Instant steady_milliseconds();

// Of one environment: its commands in a row that ended so.
class Patience {
 public:
  // Another one has died. Returns whether it is worth another try, now.
  bool died() { return ++deaths_ < most_deaths; }
  // The link was lost, or is still away. Returns when to try again; nullopt: it has been away for
  // longer than `longest`.
  std::optional<Instant> lost(Instant now, std::chrono::milliseconds longest);
  // The link is lost, for how long; a word of it ends that.
  bool is_away() const { return away_since_.has_value(); }
  void heard() { *this = Patience(); }

 private:
  // A command may die for reasons that have nothing to do with the run; five in a row do not.
  static constexpr unsigned most_deaths = 5;
  unsigned deaths_ = 0, tries_ = 0;
  std::optional<Instant> away_since_;
};

// What is to be tried again, and when.
class Retries {
 public:
  void at(Instant due, std::size_t what) { due_.emplace(due, what); }
  // Those that are due, in their order; they are taken out.
  std::vector<std::size_t> due(Instant now);
  std::optional<Instant> next() const;

 private:
  std::multimap<Instant, std::size_t> due_;
};

}  // namespace drydock
