// The last thing on the screen, in every outcome: what failed, is the application serving and
// which version, how long was it unreachable, was data lost, what is kept where, what must be done
// now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "view_text.h"

namespace drydock {

class ClosingReport {
 public:
  // Takes from run.started, stage.finished and run.finished what it needs; ignores other events.
  void add(const Event& event);
  // After run.finished.
  Lines lines(const ViewStyle& style) const;

 private:
  struct Continued {
    std::string stage, reason;
  };
  std::string headline() const;
  std::string what_failed() const;

  std::uint64_t run_ = 0;
  std::string pipeline_, pipeline_file_;
  std::vector<Continued> continued_;  // failed, rolled back alone, and the run went on
  nlohmann::json finished_ = nlohmann::json::object();
};

}  // namespace drydock
