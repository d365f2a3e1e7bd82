#include "rollout_history.h"

#include <algorithm>
#include <queue>

#include "rollout_answer.h"
#include "rollout_drift.h"
#include "secrets.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::size_t learnt_from = 5;  // the last runs: a database grows

std::int64_t between(const std::string& begin, const std::string& end) {
  const std::int64_t begun = utc_milliseconds(begin), ended = utc_milliseconds(end);
  return begun == 0 || ended < begun ? -1 : ended - begun;
}

std::int64_t median_of(std::vector<std::int64_t> values) {
  if (values.empty()) return -1;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The first ones of those that went well.
template <class Fits>
std::vector<std::int64_t> durations_of(const std::vector<RunSummary>& runs, Fits fits) {
  std::vector<std::int64_t> durations;
  for (const RunSummary& run : runs) {
    if (durations.size() == learnt_from) break;
    if (run.state == "done" && run.duration_ms >= 0 && fits(run)) {
      durations.push_back(run.duration_ms);
    }
  }
  return durations;
}

std::string state_text(const RunSummary& run) {
  std::string text = run.state;
  std::replace(text.begin(), text.end(), '_', ' ');
  if (run.duration_ms >= 0) {
    text += " in " + format_duration(std::chrono::milliseconds(run.duration_ms));
  }
  if (run.unreachable_ms > 0) {
    text += ", unreachable for " + format_duration(std::chrono::milliseconds(run.unreachable_ms));
  }
  return text;
}

}  // namespace

RunSummary summary_of(const RolloutPlan& plan, const RolloutTarget& target,
                      const TargetRecord& record, const json& finished, const std::string& user,
                      const std::string& here) {
  RunSummary run;
  run.place = place_of(target, here);
  run.environment = target.name;
  run.run = record.run;
  run.rollout = plan.name;
  run.pipeline = plan.pipeline;
  run.version = version_in(masked_vars(target.vars));
  run.user = user;
  run.started = record.started;
  run.finished = record.finished;
  run.exit_code = record.exit_code;
  run.reason = record.reason;
  run.state = "unknown";
  run.duration_ms = between(record.started, record.finished);
  if (!finished.is_object()) return run;
  run.state = text_at(finished, "status");
  run.data_lost = text_at(finished, "data_lost");
  run.duration_ms = number_at(finished, "duration_ms", run.duration_ms);
  if (finished.contains("downtime") && finished["downtime"].is_object()) {
    run.unreachable_ms = number_at(finished["downtime"], "unreachable_ms", -1);
  }
  return run;
}

std::vector<RunSummary> summaries_in(const std::string& document, const RolloutTarget& target,
                                     const std::string& here) {
  const json said = answer_in(document);
  std::vector<RunSummary> runs;
  if (!said.is_array()) return runs;
  for (const json& each : said) {
    if (!each.is_object() || number_at(each, "run") <= 0) continue;
    RunSummary run;
    run.place = place_of(target, here);
    run.environment = target.name;
    run.run = static_cast<std::uint64_t>(number_at(each, "run"));
    run.pipeline = text_at(each, "pipeline");
    if (each.contains("vars")) run.version = version_in(each["vars"]);
    run.user = text_at(each, "user");
    run.started = text_at(each, "started");
    run.finished = text_at(each, "finished");
    run.state = text_at(each, "state");
    run.exit_code = static_cast<int>(number_at(each, "exit_code", -1));
    run.reason = text_at(each, "reason");
    run.duration_ms = between(run.started, run.finished);
    runs.push_back(std::move(run));
  }
  return runs;
}

Lines history_lines(const std::vector<RunSummary>& runs, const ViewStyle& style) {
  Lines lines;
  for (const RunSummary& run : runs) {
    std::string text = run.started + "  " + run.environment + "  run " + std::to_string(run.run) +
                       " of " + run.pipeline;
    if (!run.version.empty()) text += " to " + run.version;
    text += ": " + state_text(run);
    text += run.rollout.empty() ? ", by " + run.user : ", by the rollout " + run.rollout;
    if (!run.reason.empty()) text += ": " + run.reason;
    const Lines more = wrap(text, style.width, "", indent);
    lines.insert(lines.end(), more.begin(), more.end());
  }
  if (runs.empty()) lines.push_back("no run is known");
  return lines;
}

json history_document(const std::vector<RunSummary>& runs) {
  json list = json::array();
  const auto known = [](std::int64_t number) { return number < 0 ? json() : json(number); };
  for (const RunSummary& run : runs) {
    list.push_back({{"environment", run.environment},
                    {"place", run.place},
                    {"run", run.run},
                    {"rollout", run.rollout.empty() ? json() : json(run.rollout)},
                    {"pipeline", run.pipeline},
                    {"version", run.version},
                    {"user", run.user},
                    {"started", run.started},
                    {"finished", run.finished},
                    {"state", run.state},
                    {"exit_code", known(run.exit_code)},
                    {"reason", run.reason},
                    {"duration_ms", known(run.duration_ms)},
                    {"unreachable_ms", known(run.unreachable_ms)},
                    {"data_lost", run.data_lost}});
  }
  return {{"runs", list}};
}

std::int64_t likely_duration_ms(const std::vector<RunSummary>& newest_first,
                                const std::string& pipeline, const std::string& place) {
  const std::int64_t there = median_of(durations_of(newest_first, [&](const RunSummary& run) {
    return run.pipeline == pipeline && run.place == place;
  }));
  if (there >= 0) return there;
  return median_of(
      durations_of(newest_first, [&](const RunSummary& run) { return run.pipeline == pipeline; }));
}

std::int64_t likely_wave_ms(const std::vector<std::int64_t>& durations, unsigned parallel,
                            std::int64_t soak_ms) {
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> ends;
  std::int64_t last = 0;
  for (const std::int64_t duration : durations) {
    if (duration < 0) return -1;
    std::int64_t begins = 0;
    if (ends.size() >= parallel) {
      begins = ends.top();
      ends.pop();
    }
    ends.push(begins + duration);
    last = std::max(last, begins + duration);
  }
  return last + soak_ms;
}

}  // namespace drydock
