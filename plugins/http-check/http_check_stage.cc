#include "http_check_stage.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
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

// An observation must not hold up a plan.
constexpr milliseconds observe_limit{3000};

// The stage's own limit; a little less than what the step has, so that it ends with its own reason.
milliseconds limit_of(const Call& call) {
  milliseconds limit = call.duration("/timeout");
  if (const auto left = call.time_left()) limit = std::min(limit, *left - *left / 10);
  return limit;
}

std::string in_seconds(milliseconds time) {
  const std::string tenths = std::to_string((time.count() + 50) / 100);
  if (tenths.size() == 1) return "0." + tenths + " s";
  return tenths.substr(0, tenths.size() - 1) + "." + tenths.back() + " s";
}

// Returns at once when the step is cancelled.
void pause(const Call& call, milliseconds time) {
  struct pollfd cancelled = {call.cancel_fd(), POLLIN, 0};
  ::poll(&cancelled, 1, static_cast<int>(std::min<milliseconds::rep>(time.count(), 1 << 30)));
}

// Asks until the answer is as expected.
void wait_until_expected(const Call& call) {
  const Expectation expectation = expectation_of(call);
  HttpRequest request = request_of(call);
  const milliseconds limit = limit_of(call);
  const milliseconds each = request.timeout;
  const Clock::time_point end = Clock::now() + limit;
  std::string last_reason;
  for (int tries = 1;; ++tries) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    request.timeout = std::max(milliseconds(1), std::min(each, left));
    const drydock::HttpReply reply = drydock::send(call, request);
    const auto reason = expectation.unmet(reply);
    if (!reason) return;
    if (*reason != last_reason) call.info("try " + std::to_string(tries) + ": " + *reason);
    // That the end of the time cut a try short says less than the answer before it.
    const bool cut_short = reply.status == 0 && left < each && !last_reason.empty();
    if (!cut_short) last_reason = *reason;
    if (Clock::now() + call.duration("/interval") >= end) {
      throw drydock::Failed(drydock::shown_url(request.url) +
                            " did not answer as expected within " + in_seconds(limit) + " (" +
                            std::to_string(tries) + (tries == 1 ? " try): " : " tries): ") +
                            last_reason);
    }
    pause(call, call.duration("/interval"));
    call.throw_if_cancelled();
  }
}

}  // namespace

void HttpCheck::observe(Call& call) {
  HttpRequest request = request_of(call);
  request.timeout = std::min(request.timeout, observe_limit);
  const drydock::HttpReply reply = drydock::send(call, request);
  call.informational_fact(
      "answer", reply.status == 0 ? reply.error : "status " + std::to_string(reply.status));
}

void HttpCheck::plan(Call& call) {
  const HttpRequest request = request_of(call);
  drydock::Change change{"request", "check", drydock::shown_url(request.url)};
  change.after = expectation_of(call).describe();
  call.change(change);
}

void HttpCheck::run(Call& call) { wait_until_expected(call); }

// In a step of its own: an application that answers once and then dies is not up.
void HttpCheck::verify(Call& call) { wait_until_expected(call); }
