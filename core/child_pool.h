// Many commands at once, each with a text on its standard input, whose lines and ends arrive in one
// place.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.h"
#include "line_splitter.h"
#include "spawn.h"

namespace drydock {

struct ChildEvent {
  std::size_t tag = 0;  // as it was started with
  bool ended = false;   // else a line
  std::string text;     // of a line of its standard output
  // Once it has ended:
  int code = -1;  // -1 when a signal ended it, or it was not started
  int signal = 0;
  std::string error;       // the end of its standard error, or why it was not started
  bool timed_out = false;  // it was ended, or left alone where that is not ours to do
  bool spoke = false;      // there was a line
  // It was not started, for want of processes, memory or open files, and no other one ran whose end
  // could have been waited for.
  bool for_want = false;
};

struct ChildCommand {
  std::vector<std::string> words;
  std::string directory;     // that it is performed in; "": this one
  bool outlives_us = false;  // it goes on, in a session of its own, when this process ends
  std::optional<std::chrono::milliseconds> timeout = std::nullopt;  // none: it may take any time
  // Who has to end is asked to (SIGTERM), and killed when it is there so much later. 0: killed.
  std::chrono::milliseconds grace{0};
};

class ChildPool {
 public:
  ChildPool();  // throws Error
  ~ChildPool();
  ChildPool(const ChildPool&) = delete;
  ChildPool& operator=(const ChildPool&) = delete;

  // A command that cannot be started ends at once, as an event; for want of processes, memory or
  // open files only where no other one runs: else it is started once another one has ended. It is
  // killed when this process ends; what it has started itself in another session is not. What sudo
  // has made another user's cannot be killed: it is not waited for, and nobody reads it any more.
  void start(std::size_t tag, const ChildCommand& command, const std::string& input = "");
  void start(std::size_t tag, const std::vector<std::string>& words,
             const std::string& input = "") {
    start(tag, ChildCommand{words, ""}, input);
  }
  // Ends those with this tag as their timeout would, and those that wait to be started at once; it
  // is seen like any other end.
  void end(std::size_t tag);
  // Ends all that wait to be started; it is seen like any other end.
  void drop_waiting();
  // Whether one with this tag runs or waits to be started.
  bool has(std::size_t tag) const;
  // Those whose end is still to be told.
  std::size_t running() const { return children_.size() + waiting_.size() + refused_.size(); }
  // What has happened, in its order for each command; returns early, also with nothing, when
  // `wake_fd` is readable. A negative time waits for ever.
  std::vector<ChildEvent> wait(std::chrono::milliseconds most, int wake_fd);

 private:
  struct Child {
    std::size_t tag;
    Spawned process;
    bool outlives_us;
    Descriptor out, err;
    LineSplitter lines;
    std::string error;
    std::chrono::milliseconds grace;
    std::optional<std::chrono::steady_clock::time_point> until;
    bool timed_out = false, asked_to_end = false, killed = false, is_anothers = false,
         spoke = false;
  };
  struct Waiting {
    std::size_t tag;
    ChildCommand command;
    std::string input;
  };
  struct Refusal {
    std::string why;  // "": it was started
    bool for_want = false;
  };
  Refusal try_to_start(std::size_t tag, const ChildCommand& command, const std::string& input);
  void refuse(std::size_t tag, const Refusal& refusal);
  void start_waiting();
  // Whether there is more to read at once.
  bool read_lines(Child& child, std::vector<ChildEvent>& events);
  bool read_error(Child& child);
  void finish(std::list<Child>::iterator child, std::vector<ChildEvent>& events);
  // Its end is seen like any other. False: it is another user's, and goes on.
  static bool ask_or_kill(Child& child);
  // Ends what has taken too long. Returns when the next one would have; nullopt: none.
  std::optional<std::chrono::milliseconds> end_overdue(std::vector<ChildEvent>& events);
  void watch(int fd, void* child);

  Descriptor epoll_;
  std::list<Child> children_;
  std::deque<Waiting> waiting_;
  std::vector<ChildEvent> refused_;
};

}  // namespace drydock
