// When a service is up: running, and healthy where it has a health check; or finished with exit
// code 0 where it is one of those that do their work and end.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compose_before.h"
#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// What is expected of a service.
struct Expectation {
  std::string service;
  std::size_t containers = 1;      // how many must be ready
  bool must_finish = false;        // another service waits for its end
  bool health_counts = true;       // false: to run is enough
  std::set<std::string> ids = {};  // only these count; empty: all of the service
  // Whether an end with exit code 0 is one: the files do not have it started again.
  bool may_finish = true;
  Starts ran_before = {};  // of those of the run, that it stopped does not count as an end
};

enum class Readiness { ready, not_yet, failed };
struct Verdict {
  Readiness readiness;
  std::string reason;  // "is unhealthy", "exited with code 3"; "" when it is ready
};
Verdict judge(const Container& container, const Expectation& expected);

// Everything of the model's `services`, as the files want it.
std::vector<Expectation> expectations(const Model& model, const std::set<std::string>& services);

// The first service of `expected` that is not ready. container: the one to blame; its id is "" when
// there are too few of them.
struct Culprit {
  Container container;
  Verdict verdict;
  std::string sentence() const;  // "service api is unhealthy (container demo-api-1)"
};
std::optional<Culprit> first_not_ready(const std::vector<Expectation>& expected,
                                       const std::vector<Container>& existing);

struct WaitOptions {
  std::chrono::milliseconds wait{0};         // until every one is ready
  std::chrono::milliseconds healthy_for{0};  // and then stays so
  // Between two looks at first; the longer it takes, the longer, up to a second.
  std::chrono::milliseconds poll{100};
};

// Who begins again so often is not waited for any longer. The engine doubles its pause between two
// starts, so that these take at least 25 seconds.
inline constexpr int restart_loop = 8;

// Waits until all that is expected is ready, and stays so. Throws Failed, naming the service, the
// reason and its last line of log (the last 50 go to the log), when one cannot become ready any
// more, is not so in time, or does not stay so.
void wait_until_ready(const Call& call, const std::vector<Expectation>& expected,
                      const WaitOptions& options);

// The second half of it: all that is expected stays ready for so long, without a restart, and in
// the same containers.
void stay_ready(const Call& call, const std::vector<Expectation>& expected,
                std::chrono::milliseconds healthy_for);

// The last lines of a container, written to the log; returns what to add to a sentence: "" or
// "; its last words: ...".
std::string show_logs(const Call& call, const Container& container);

// "90s", "2m", "300ms": as durations are written in a pipeline.
std::string in_words(std::chrono::milliseconds duration);

}  // namespace drydock::compose
