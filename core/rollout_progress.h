// What is said while many environments are asked: nothing as long as they answer at once, then how
// many have, and whose answer is waited for.
#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "rollout_schedule.h"
#include "rollout_screen.h"
#include "view_text.h"

namespace drydock {

// On a terminal one line that is drawn again and goes in the end; elsewhere a line now and then.
class SurveyProgress {
 public:
  // Says nothing when `out` is null.
  SurveyProgress(std::ostream* out, const ViewStyle& style);

  // done: what an environment is that has answered, such as "asked". now: milliseconds of a clock
  // that nobody sets.
  void begin(const std::string& done, std::size_t total, Instant now);
  void asks(const std::string& name);
  void answered(const std::string& name);
  // Says what is due. Returns when something will be: to be called again by then.
  std::chrono::milliseconds show(Instant now);
  void end();

 private:
  std::string text(Instant now) const;

  std::optional<LivePicture> picture_;  // nullopt: nothing is said
  ViewStyle style_;
  Ink ink_;
  std::string done_;
  std::size_t total_ = 0, answered_ = 0;
  std::vector<std::string> waits_for_;  // the one that was asked first begins
  Instant begun_ = 0, due_ = 0;
};

}  // namespace drydock
