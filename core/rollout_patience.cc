#include "rollout_patience.h"

#include <algorithm>

namespace drydock {

Instant steady_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::optional<Instant> Patience::lost(Instant now, std::chrono::milliseconds longest) {
  constexpr Instant first_pause = 500, longest_pause = 30'000;
  if (!away_since_) away_since_ = now;
  const Instant left = *away_since_ + longest.count() - now;
  if (left <= 0) return std::nullopt;
  const Instant pause = tries_ < 6 ? first_pause << tries_ : longest_pause;
  ++tries_;
  return now + std::min(pause, left);  // the last try is at the end of the patience
}

std::vector<std::size_t> Retries::due(Instant now) {
  std::vector<std::size_t> result;
  while (!due_.empty() && due_.begin()->first <= now) {
    result.push_back(due_.begin()->second);
    due_.erase(due_.begin());
  }
  return result;
}

std::optional<Instant> Retries::next() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

}  // namespace drydock
