#include "http_probe_stage.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "expectation.h"
#include "http_request.h"
#include "http_url.h"

using drydock::BadOptions;
using drydock::Call;
using drydock::HttpRequest;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

std::string on_the_clock(Clock::time_point time) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count());
}

// What was seen so far.
class Record {
 public:
  explicit Record(const Call& call) : call_(call), last_good_(Clock::now()) {}

  void good(Clock::time_point asked, Clock::time_point answered, milliseconds slow) {
    ++all_;
    if (answered - asked > slow) ++slow_;
    if (down_) report(answered, "");
    down_ = false;
    last_good_ = answered;
  }
  void failed(const std::string& why) {
    ++all_;
    ++failed_;
    if (!down_) call_.info(why);
    down_ = true;
  }
  void end() const {
    if (down_) report(Clock::now(), " open");
    call_.output("requests", std::to_string(all_) + " " + std::to_string(failed_) + " " +
                                 std::to_string(slow_));
  }

 private:
  void report(Clock::time_point until, const char* open) const {
    call_.output("outage", on_the_clock(last_good_) + " " + on_the_clock(until) + open);
  }

  const Call& call_;
  Clock::time_point last_good_;
  bool down_ = false;
  std::uint64_t all_ = 0, failed_ = 0, slow_ = 0;
};

void wait_until(const Call& call, Clock::time_point time) {
  const auto left = std::chrono::ceil<milliseconds>(time - Clock::now()).count();
  struct pollfd cancelled = {call.cancel_fd(), POLLIN, 0};
  ::poll(&cancelled, 1, static_cast<int>(std::clamp<milliseconds::rep>(left, 0, 1 << 30)));
  call.throw_if_cancelled();
}

}  // namespace

void HttpProbe::plan(Call& call) {
  const HttpRequest request = request_of(call);
  drydock::Change change{"request", "check", drydock::shown_url(request.url)};
  change.after = expectation_of(call).describe();
  call.change(change);
}

void HttpProbe::run(Call& call) {
  const Expectation expectation = expectation_of(call);
  const HttpRequest request = request_of(call);
  const milliseconds every = call.duration("/every"), slow = call.duration("/slow");
  Record record(call);
  try {
    for (;;) {
      const Clock::time_point asked = Clock::now();
      const auto unmet = expectation.unmet(drydock::send(call, request));
      if (unmet) {
        record.failed(*unmet);
      } else {
        record.good(asked, Clock::now(), slow);
      }
      // One request at a time: those that a slow answer left no room for are not made up for.
      wait_until(call, asked + every);
    }
  } catch (const drydock::Cancelled&) {
    record.end();
    throw;
  }
}
