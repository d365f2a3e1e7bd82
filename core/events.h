// Everything that happens is an event: the screen, events.jsonl, --events and the log file all show
// the same stream, and nothing else. docs/events.md lists the types.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "secrets.h"

namespace drydock {

struct Event {
  std::uint64_t seq = 0;  // from 1, without gaps, within one run (or one plan)
  std::string time;       // UTC, RFC 3339 with milliseconds
  std::string type;
  std::uint64_t run = 0;    // 0: no run (a plan)
  std::string stage, step;  // empty where the event is about no single stage
  nlohmann::json data = nlohmann::json::object();

  // One object on one line without its end, flat: seq, time, type, then run, stage and step where
  // there is one, then the members of data.
  std::string to_json_line() const;
  // nullopt: no event.
  static std::optional<Event> from_json_line(const std::string& line);
  std::int64_t milliseconds() const;  // `time` since the epoch; 0 when it cannot be read
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void event(const Event&) = 0;
  virtual void idle() {}  // about ten times a second while a worker works
};

// Numbers, stamps and masks events and hands them to every sink, in order. A sink that throws is
// dropped, with a warning to the others: a full disk or a reader that goes away never affects a
// run. Used by one thread.
class Events {
 public:
  explicit Events(const Masker& masker) : masker_(masker) {}
  const Masker& masker() const { return masker_; }
  void add(EventSink& sink) { sinks_.push_back(&sink); }
  void remove(EventSink& sink);
  // From now on events belong to this run. last_seq: of its last event so far, when another process
  // has begun it (see last_seq_of in view.h).
  void set_run(std::uint64_t run, std::uint64_t last_seq = 0) {
    run_ = run;
    seq_ = last_seq;
  }
  void emit(const std::string& type, nlohmann::json data = nlohmann::json::object(),
            const std::string& stage = "", const std::string& step = "");
  void idle();
  // What the sinks would be shown, for whoever records it elsewhere as well.
  nlohmann::json masked(const nlohmann::json& data) const { return masker_.mask(data); }

 private:
  const Masker& masker_;
  std::vector<EventSink*> sinks_;
  std::uint64_t seq_ = 0, run_ = 0;
};

}  // namespace drydock
