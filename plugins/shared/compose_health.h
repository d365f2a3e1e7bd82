// When a service is up: running, and healthy where it has a health check; or finished with exit
// code 0 where it is one of those that do their work and end.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// What to expect of one container.
struct Expectation {
  bool must_finish = false;  // another service waits for its end
  bool health_counts = true;
};

enum class Readiness { ready, not_yet, failed };
struct Verdict {
  Readiness readiness;
  std::string reason;  // "is unhealthy", "exited with code 3"; "" when it is ready
};
Verdict judge(const Container& container, const Expectation& expectation);

struct WaitOptions {
  std::chrono::milliseconds wait{0};         // until every one is ready
  std::chrono::milliseconds healthy_for{0};  // and then stays so, without a restart
  std::chrono::milliseconds poll{300};
};

// Waits until every container of `look()` is ready, and stays so. `expect` says what is expected of
// each; nullopt: nothing. Throws Failed, naming the container, the reason and its last lines of
// log, when one cannot become ready any more, is not so in time, or does not stay so.
void wait_until_ready(const Call& call, const std::function<std::vector<Container>()>& look,
                      const std::function<std::optional<Expectation>(const Container&)>& expect,
                      const WaitOptions& options);

}  // namespace drydock::compose
