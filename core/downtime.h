// How long the application did not answer while a run went on, and in which of its steps.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace drydock {

// A time of the machine's monotonic clock, which worker and runner share.
using MonotonicTime = std::chrono::milliseconds;
MonotonicTime monotonic_now();

// From the last good answer before it to the first good one after it.
struct Outage {
  MonotonicTime from{0}, until{0};
  bool open = false;  // it was not over when measuring ended
};

// A step that worked for a while, as events tell.
struct Busy {
  std::string stage, step;
  MonotonicTime from{0}, until{0};
};

struct Downtime {
  std::vector<Outage> outages;
  std::uint64_t requests = 0, failed = 0, slow = 0;

  std::chrono::milliseconds unreachable() const;
  std::chrono::milliseconds longest_gap() const;
  bool still_down() const;
};

// "FROM UNTIL" or "FROM UNTIL open", as `http-probe` puts it out. nullopt: it is neither.
std::optional<Outage> read_outage(const std::string& text);
// "ALL FAILED SLOW" into the counts. False: it is not that.
bool read_requests(const std::string& text, Downtime& downtime);

// Of the time without an answer, how much fell into which stage: [{stage, step, unreachable_ms}] in
// the order in which they began, where `step` is run, rollback or settle (verify counts as run).
// Stages that worked at once each count the same time.
nlohmann::json stages_of(const Downtime& downtime, const std::vector<Busy>& busy);

// For the event run.finished; docs/events.md.
nlohmann::json to_json(const Downtime& downtime, const std::vector<Busy>& busy);

}  // namespace drydock
