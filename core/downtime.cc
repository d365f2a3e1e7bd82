#include "downtime.h"

#include <algorithm>
#include <sstream>

namespace drydock {

using nlohmann::json;
using std::chrono::milliseconds;

MonotonicTime monotonic_now() {
  return std::chrono::duration_cast<MonotonicTime>(
      std::chrono::steady_clock::now().time_since_epoch());
}

milliseconds Downtime::unreachable() const {
  milliseconds sum{0};
  for (const Outage& one : outages) sum += one.until - one.from;
  return sum;
}

milliseconds Downtime::longest_gap() const {
  milliseconds longest{0};
  for (const Outage& one : outages) longest = std::max(longest, one.until - one.from);
  return longest;
}

bool Downtime::still_down() const { return !outages.empty() && outages.back().open; }

std::optional<Outage> read_outage(const std::string& text) {
  std::istringstream words(text);
  MonotonicTime::rep from = 0, until = 0;
  std::string open, more;
  if (!(words >> from >> until) || from < 0 || until < from) return std::nullopt;
  if (words >> open && (open != "open" || words >> more)) return std::nullopt;
  return Outage{MonotonicTime(from), MonotonicTime(until), !open.empty()};
}

bool read_requests(const std::string& text, Downtime& downtime) {
  std::istringstream words(text);
  Downtime read;
  std::string more;
  if (!(words >> read.requests >> read.failed >> read.slow) || words >> more) return false;
  downtime.requests = read.requests;
  downtime.failed = read.failed;
  downtime.slow = read.slow;
  return true;
}

json stages_of(const Downtime& downtime, const std::vector<Busy>& busy) {
  json stages = json::array();
  for (const Busy& each : busy) {
    milliseconds within{0};
    for (const Outage& outage : downtime.outages) {
      within += std::max(milliseconds(0),
                         std::min(each.until, outage.until) - std::max(each.from, outage.from));
    }
    if (within.count() == 0) continue;
    const std::string step = each.step == "verify" ? "run" : each.step;
    const auto known = std::find_if(stages.begin(), stages.end(), [&](const json& one) {
      return one["stage"] == each.stage && one["step"] == step;
    });
    if (known == stages.end()) {
      stages.push_back({{"stage", each.stage}, {"step", step}, {"unreachable_ms", within.count()}});
    } else {
      (*known)["unreachable_ms"] =
          (*known)["unreachable_ms"].get<milliseconds::rep>() + within.count();
    }
  }
  return stages;
}

json to_json(const Downtime& downtime, const std::vector<Busy>& busy) {
  return {{"unreachable_ms", downtime.unreachable().count()},
          {"longest_gap_ms", downtime.longest_gap().count()},
          {"still_unreachable", downtime.still_down()},
          {"requests", downtime.requests},
          {"failed_requests", downtime.failed},
          {"slow_requests", downtime.slow},
          {"stages", stages_of(downtime, busy)}};
}

}  // namespace drydock
