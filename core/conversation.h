// One conversation with one worker, from its greeting to its answer: what the runner makes of the
// messages, of silence, of a death, of the clock and of a cancel.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "cancellation.h"
#include "process_worker.h"
#include "wire.h"
#include "worker_session.h"

namespace drydock {

class Conversation {
 public:
  using Clock = std::chrono::steady_clock;

  // What a conversation is about: the frames that it begins with and what its messages mean.
  class Subject {
   public:
    virtual ~Subject() = default;
    // While the worker starts: what it loads and reads by itself, without changing anything.
    // False: a frame would be too large; the worker is ended.
    virtual bool ask(WorkerSession& worker) = 0;
    // After the greeting was accepted.
    virtual void begin(WorkerSession& worker) = 0;
    // True when this was the answer. Throws WireError for what makes no sense.
    virtual bool take(const Message& message, WorkerSession& worker) = 0;
    virtual void line(WorkerSession::Stream stream, std::string_view text) = 0;
    virtual void left_behind(const EndedProcess& process) = 0;
    virtual void idle() = 0;
  };

  // How it ended.
  struct Answered {};
  struct TooLarge {};
  struct Refused {  // the greeting
    std::string reason;
  };
  struct Stopped {  // no answer after a cancel
    std::chrono::milliseconds waited;
    std::string died;  // "crashed (SIGSEGV)": by itself; "": it was ended when our patience was
  };
  using Ending = std::variant<Answered, TooLarge, Refused, Stopped, Crashed, TimedOut>;

  Conversation(WorkerSession& worker, Subject& subject, const WorkerPatience& patience,
               const Cancellation* cancellation, std::optional<std::chrono::milliseconds> timeout);

  Ending hold();
  bool was_cancelled() const { return stop_ == Stop::cancelled; }
  bool was_timed_out() const { return stop_ == Stop::timed_out; }

 private:
  enum class Stop { no, cancelled, timed_out };
  enum class Force { none, asked, terminated, killed };

  void receive(Message message);
  void greet(const nlohmann::json& body);
  void watch_the_clock();
  void stop(Stop reason);
  void kill();
  std::chrono::milliseconds until_next_event() const;
  Ending end(int status);

  WorkerSession& worker_;
  Subject& subject_;
  WorkerPatience patience_;
  const Cancellation* cancellation_;  // null: may not be cancelled
  std::optional<std::chrono::milliseconds> timeout_;
  bool greeted_ = false, answered_ = false, too_large_ = false;
  std::string refused_, broke_;
  Stop stop_ = Stop::no;
  Force force_ = Force::none;
  std::optional<Clock::time_point> deadline_;  // of the step
  std::optional<Clock::time_point> next_;      // when more force is used
  Clock::time_point idle_at_;
};

}  // namespace drydock
