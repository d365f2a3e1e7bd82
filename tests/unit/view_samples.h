// Events as the runner emits them, for the tests of what people see.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "events.h"

namespace drydock {

// `second` is the time of day in seconds.
inline Event event_at(double second, const std::string& type, nlohmann::json data = {},
                      const std::string& stage = "", const std::string& step = "") {
  static std::uint64_t seq = 0;
  const auto total = static_cast<int>(second * 1000);
  char time[64];
  std::snprintf(time, sizeof time, "2026-03-01T%02d:%02d:%02d.%03dZ", total / 3'600'000 % 24,
                total / 60'000 % 60, total / 1000 % 60, total % 1000);
  if (data.is_null()) data = nlohmann::json::object();
  return Event{++seq, time, type, 7, stage, step, std::move(data)};
}

inline nlohmann::json change(const std::string& what, const std::string& action,
                             const std::string& name, const std::string& before = "",
                             const std::string& after = "", const std::string& detail = "") {
  return {{"what", what},   {"action", action}, {"name", name},    {"before", before},
          {"after", after}, {"detail", detail}, {"disk_bytes", 0}, {"rollback_loses", ""}};
}

inline Event planned(const std::string& stage, const std::vector<nlohmann::json>& changes,
                     bool has_rollback = true, const std::string& state = "planned",
                     const std::string& reason = "") {
  return event_at(0, "stage.planned",
                  {{"name", stage},
                   {"uses", stage},
                   {"index", 1},
                   {"count", 4},
                   {"state", state},
                   {"reason", reason},
                   {"changes", changes},
                   {"has_rollback", has_rollback},
                   {"final", false}},
                  stage);
}

inline Event plan_started() {
  return event_at(0, "plan.started",
                  {{"pipeline", "sample"},
                   {"pipeline_file", "drydock.yaml"},
                   {"deployment", "/srv/sample"},
                   {"project", "sample"},
                   {"compose_files", {"/srv/sample/compose.yaml"}},
                   {"engine", "Docker 20.10.24"},
                   {"stages", 4},
                   {"vars", {{"to", "2"}, {"workers", 4}}}});
}

inline Event run_started(const std::string& pipeline_file = "drydock.yaml") {
  return event_at(1, "run.started",
                  {{"pipeline", "sample"},
                   {"pipeline_file", pipeline_file},
                   {"deployment", "/srv/sample"},
                   {"project", "sample"},
                   {"log_dir", "/srv/sample/.drydock/logs/7"}});
}

inline Event stage_started(double second, const std::string& stage, int index) {
  return event_at(second, "stage.started",
                  {{"name", stage}, {"uses", stage}, {"index", index}, {"count", 4}}, stage);
}

inline Event step_started(double second, const std::string& stage, const std::string& step,
                          int attempt = 1) {
  return event_at(
      second, "step.started",
      {{"name", stage}, {"uses", stage}, {"index", 1}, {"count", 4}, {"attempt", attempt}}, stage,
      step);
}

inline Event step_finished(double second, const std::string& stage, const std::string& step,
                           const std::string& status = "ok", const std::string& reason = "",
                           int duration_ms = 800) {
  return event_at(second, "step.finished",
                  {{"status", status}, {"reason", reason}, {"duration_ms", duration_ms}}, stage,
                  step);
}

inline Event stage_finished(double second, const std::string& stage, const std::string& status,
                            const std::string& reason = "", int duration_ms = 12'000) {
  return event_at(
      second, "stage.finished",
      {{"name", stage}, {"status", status}, {"reason", reason}, {"duration_ms", duration_ms}},
      stage);
}

inline Event log_line(double second, const std::string& stage, const std::string& level,
                      const std::string& text) {
  return event_at(second, "log", {{"level", level}, {"text", text}}, stage, "run");
}

inline Event progress(double second, const std::string& stage, int done, int total,
                      const std::string& unit) {
  return event_at(second, "progress", {{"done", done}, {"total", total}, {"unit", unit}}, stage,
                  "run");
}

inline nlohmann::json finished(const std::string& status, int exit_code) {
  return {{"status", status},
          {"exit_code", exit_code},
          {"failed_stage", ""},
          {"failed_step", ""},
          {"reason", ""},
          {"application", nullptr},
          {"downtime", nullptr},
          {"data_lost", ""},
          {"differences", nlohmann::json::array()},
          {"not_undone", nlohmann::json::array()},
          {"kept", nlohmann::json::array()},
          {"next", nlohmann::json::array()},
          {"duration_ms", 123'000},
          {"log_dir", "/srv/sample/.drydock/logs/7"}};
}

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace drydock
