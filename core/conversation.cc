#include "conversation.h"

#include <drydock/stage.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

namespace drydock {
namespace {

constexpr std::chrono::milliseconds idle_period(100);

}  // namespace

Conversation::Conversation(WorkerSession& worker, Subject& subject, const WorkerPatience& patience,
                           const Cancellation* cancellation,
                           std::optional<std::chrono::milliseconds> timeout)
    : worker_(worker),
      subject_(subject),
      patience_(patience),
      cancellation_(cancellation),
      timeout_(timeout),
      idle_at_(Clock::now() + idle_period) {
  worker_.listen(
      [this](WorkerSession::Stream stream, std::string_view line) { subject_.line(stream, line); },
      [this](Message message) { receive(std::move(message)); });
}

Conversation::Ending Conversation::hold() {
  // The time to start and to load counts, too.
  if (timeout_) deadline_ = Clock::now() + *timeout_;
  too_large_ = !subject_.ask(worker_);
  if (too_large_) kill();
  while (!worker_.exited()) {
    const bool watch_cancel = cancellation_ != nullptr && stop_ == Stop::no;
    try {
      worker_.wait(until_next_event(), watch_cancel ? cancellation_->fd() : -1);
    } catch (const WireError& error) {
      if (broke_.empty()) broke_ = error.what();
      kill();
    }
    watch_the_clock();
  }
  std::vector<EndedProcess> left_behind;
  const int status = worker_.finish(left_behind);
  for (const EndedProcess& process : left_behind) subject_.left_behind(process);
  return end(status);
}

void Conversation::receive(Message message) {
  if (!broke_.empty() || answered_ || !refused_.empty() || too_large_) return;  // not heard
  if (!greeted_) {
    if (message.kind != "drydock-stage") throw WireError("sent something before its greeting");
    greet(message.body);
    return;
  }
  answered_ = subject_.take(message, worker_);
  if (answered_) next_ = Clock::now() + patience_.leave;
}

void Conversation::greet(const nlohmann::json& body) {
  greeted_ = true;
  if (!body.is_object()) throw WireError("sent a greeting without versions");
  const std::string theirs = body.value("wire", nlohmann::json()).dump();
  const std::string abi = body.value("abi", nlohmann::json()).dump();
  const std::string our_abi =
      "\"" DRYDOCK_QUOTE(DRYDOCK_ABI_MAJOR) "." DRYDOCK_QUOTE(DRYDOCK_ABI_MINOR) "\"";
  if (theirs != std::to_string(wire_version) || abi != our_abi) {
    refused_ = "drydock-stage has wire version " + theirs + " and plugin ABI " + abi +
               ", and this drydock has " + std::to_string(wire_version) + " and " + our_abi +
               ": install both from the same release";
    kill();
    return;
  }
  subject_.begin(worker_);
}

void Conversation::watch_the_clock() {
  const auto now = Clock::now();
  if (now >= idle_at_) {
    subject_.idle();
    idle_at_ = now + idle_period;
  }
  if (worker_.exited()) return;
  if (stop_ == Stop::no && !answered_) {
    if (cancellation_ != nullptr && cancellation_->requested()) {
      stop(Stop::cancelled);
    } else if (deadline_ && now >= *deadline_) {
      stop(Stop::timed_out);
    }
  }
  // A dead worker's connection ends a moment before the worker does.
  if (worker_.disconnected() && !answered_ && broke_.empty() && force_ == Force::none && !next_) {
    next_ = now + patience_.leave;
  }
  if (!next_ || now < *next_) return;
  if (force_ == Force::asked && !answered_) {
    force_ = Force::terminated;
    next_ = now + patience_.terminate;
    worker_.signal_group(SIGTERM);
    return;
  }
  if (worker_.disconnected() && !answered_ && force_ == Force::none && broke_.empty()) {
    broke_ = "closed its connection";
  }
  kill();
}

void Conversation::stop(Stop reason) {
  stop_ = reason;
  force_ = Force::asked;
  next_ = Clock::now() + patience_.stop;
  worker_.send("cancel", true);
}

void Conversation::kill() {
  force_ = Force::killed;
  next_ = Clock::now() + patience_.leave;  // again, if a new member joined the group meanwhile
  worker_.signal_group(SIGKILL);
}

std::chrono::milliseconds Conversation::until_next_event() const {
  auto at = idle_at_;
  if (deadline_ && stop_ == Stop::no) at = std::min(at, *deadline_);
  if (next_) at = std::min(at, *next_);
  // Rounded up, so that the moment has come when the wait is over.
  return std::chrono::ceil<std::chrono::milliseconds>(at - Clock::now());
}

Conversation::Ending Conversation::end(int status) {
  if (answered_) return Answered{};
  if (!refused_.empty()) return Refused{refused_};
  if (too_large_) return TooLarge{};
  if (!broke_.empty()) return Crashed{0, broke_};
  if (stop_ == Stop::timed_out) return TimedOut{*timeout_};
  const Crashed crashed =
      WIFSIGNALED(status) ? Crashed{WTERMSIG(status), ""}
                          : Crashed{0, "exited with code " + std::to_string(WEXITSTATUS(status)) +
                                           " without an answer"};
  if (stop_ == Stop::no) return crashed;
  return Stopped{patience_.stop, force_ == Force::asked ? describe(crashed) : ""};
}

}  // namespace drydock
