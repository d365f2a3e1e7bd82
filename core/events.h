// Everything that happens is an event: the screen, events.jsonl, --events and the log file all show
// the same stream, and nothing else. docs/events.md lists the types.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
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

  std::string to_json_line()
      const;  // one object, flat: data's members beside seq, time, type, run, stage, step
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void event(const Event&) = 0;
  virtual void idle() {}  // about ten times a second while a worker works
};

// Numbers, stamps and masks events and hands them to every sink, in order. A sink that throws is
// dropped: a full disk or a reader that goes away never affects a run.
class Events {
 public:
  explicit Events(const Masker& masker) : masker_(masker) {}
  void add(EventSink& sink) { sinks_.push_back(&sink); }
  void remove(EventSink& sink);
  void set_run(std::uint64_t run) { run_ = run; }
  void emit(const std::string& type, nlohmann::json data = nlohmann::json::object(),
            const std::string& stage = "", const std::string& step = "");
  void idle();

 private:
  const Masker& masker_;
  std::vector<EventSink*> sinks_;
  std::uint64_t seq_ = 0, run_ = 0;
};

}  // namespace drydock
