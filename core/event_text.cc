#include "event_text.h"

#include <functional>
#include <unordered_map>

#include "state_dir.h"
#include "view_text.h"

namespace drydock {
namespace {

using Write = std::function<EventText(const Event&)>;

std::string because(const Event& event) {
  const std::string reason = text_at(event.data, "reason");
  return reason.empty() ? "" : ": " + reason;
}

std::string after(const Event& event) {
  if (!event.data.contains("duration_ms")) return "";
  return " after " + duration_at(event.data, "duration_ms");
}

std::string in_time(const Event& event) {
  if (!event.data.contains("duration_ms")) return "";
  return " in " + duration_at(event.data, "duration_ms");
}

std::string with_stage(const Event& event, const std::string& text) {
  return event.stage.empty() ? text : event.stage + ": " + text;
}

EventText stage_planned(const Event& event) {
  const std::string state = text_at(event.data, "state");
  if (state == "skipped")
    return {LogLevel::info, event.stage + ": will be skipped" + because(event)};
  if (state == "unknown") {
    return {LogLevel::info, event.stage + ": known only later" + because(event)};
  }
  const auto changes = static_cast<std::int64_t>(list_at(event.data, "changes").size());
  return {LogLevel::info, event.stage + ": planned, " + count_of(changes, "change")};
}

EventText step_finished(const Event& event) {
  const std::string status = text_at(event.data, "status");
  const std::string what = event.stage + ": step " + event.step + " ";
  if (status == "ok") return {LogLevel::debug, what + "done" + in_time(event)};
  if (status == "unknown") return {LogLevel::debug, what + "known only later" + because(event)};
  std::string how = status;
  if (status == "bad_options") how = "refused its options";
  if (status == "bug") how = "broke a rule of the plugin boundary";
  if (status == "timed_out") how = "timed out";
  if (status == "no_memory") how = "ran out of memory";
  if (status == "wont_load") how = "could not be loaded";
  return {status == "cancelled" ? LogLevel::warning : LogLevel::error,
          what + how + after(event) + because(event)};
}

EventText stage_finished(const Event& event) {
  const std::string status = text_at(event.data, "status");
  const std::string start = event.stage + ": ";
  if (status == "done") return {LogLevel::info, start + "done" + in_time(event)};
  if (status == "cancelled") {
    return {LogLevel::warning, start + "cancelled" + after(event) + because(event)};
  }
  if (status == "continued") {
    return {LogLevel::warning, start + "failed" + after(event) +
                                   " and was rolled back alone; the run goes on" + because(event)};
  }
  return {LogLevel::error, start + "failed" + after(event) + because(event)};
}

EventText rollback_finished(const Event& event) {
  if (text_at(event.data, "status") == "verified") {
    return {LogLevel::info, "rolled back and verified" + in_time(event)};
  }
  return {LogLevel::error, "not wholly rolled back, or not verified," + after(event)};
}

std::string index_of(const Event& event) {
  const std::int64_t count = number_at(event.data, "count");
  if (count == 0) return "";
  return " (" + std::to_string(number_at(event.data, "index")) + " of " + std::to_string(count) +
         ")";
}

const std::unordered_map<std::string, Write>& writers() {
  static const std::unordered_map<std::string, Write> all = {
      {"plan.started",
       [](const Event& e) {
         return EventText{LogLevel::info, "plan of " + pipeline_text(e.data)};
       }},
      {"stage.planned", stage_planned},
      {"plan.finished",
       [](const Event& e) {
         return EventText{LogLevel::info,
                          "planned: " + count_of(number_at(e.data, "changes"), "change")};
       }},
      {"run.started",
       [](const Event& e) {
         return EventText{LogLevel::info, "run " + std::to_string(e.run) + " of " +
                                              pipeline_text(e.data) + goes_on_text(e.data)};
       }},
      {"step.started",
       [](const Event& e) {
         const std::int64_t attempt = number_at(e.data, "attempt", 1);
         return EventText{
             LogLevel::debug,
             e.stage + ": step " + e.step + " begins" +
                 (attempt > 1 ? " (attempt " + std::to_string(attempt) + ")" : std::string())};
       }},
      {"step.finished", step_finished},
      {"stage.started",
       [](const Event& e) {
         return EventText{LogLevel::info, e.stage + ": started" + index_of(e)};
       }},
      {"stage.skipped",
       [](const Event& e) {
         return EventText{LogLevel::info, e.stage + ": skipped" + because(e)};
       }},
      {"stage.retry",
       [](const Event& e) {
         return EventText{LogLevel::warning, e.stage + ": " + retry_text(e.data)};
       }},
      {"stage.finished", stage_finished},
      {"log",
       [](const Event& e) {
         return EventText{level_of(e), with_stage(e, text_at(e.data, "text"))};
       }},
      {"progress",
       [](const Event& e) {
         return EventText{LogLevel::debug, with_stage(e, progress_text(e.data))};
       }},
      {"output",
       [](const Event& e) {
         return EventText{LogLevel::debug, with_stage(e, "output " + text_at(e.data, "name") +
                                                             " is " + text_at(e.data, "value"))};
       }},
      {"artifact",
       [](const Event& e) {
         return EventText{LogLevel::info, with_stage(e, "keeps " + text_at(e.data, "path") + " (" +
                                                            text_at(e.data, "description") + ")")};
       }},
      {"warning",
       [](const Event& e) {
         return EventText{LogLevel::warning, with_stage(e, text_at(e.data, "text"))};
       }},
      {"rollback.started",
       [](const Event& e) {
         return EventText{
             LogLevel::warning,
             "rolling back " + count_of(number_at(e.data, "stages"), "stage") + because(e)};
       }},
      {"rollback.finished", rollback_finished},
      {"fact.differs",
       [](const Event& e) {
         const std::string name = "'" + text_at(e.data, "name") + "'";
         const std::string before = text_at(e.data, "before"), after = text_at(e.data, "after");
         if (is_fingerprint(before) && is_fingerprint(after)) {
           return EventText{LogLevel::error,
                            with_stage(e, name + " is another one than before the run")};
         }
         return EventText{LogLevel::error,
                          with_stage(e, name + " was '" + before + "' before the run and is '" +
                                            after + "' now")};
       }},
      {"recovery",
       [](const Event& e) {
         return EventText{LogLevel::warning, with_stage(e, text_at(e.data, "text"))};
       }},
      {"run.finished",
       [](const Event& e) {
         const std::int64_t code = number_at(e.data, "exit_code");
         return EventText{code == 0 ? LogLevel::info : LogLevel::error,
                          "run " + std::to_string(e.run) + " ended as " +
                              text_at(e.data, "status") + " with exit code " +
                              std::to_string(code) + after(e)};
       }},
  };
  return all;
}

}  // namespace

LogLevel level_of(const Event& log_event) {
  const std::string level = text_at(log_event.data, "level");
  if (level == "debug") return LogLevel::debug;
  if (level == "warning") return LogLevel::warning;
  if (level == "error") return LogLevel::error;
  return LogLevel::info;
}

EventText text_of(const Event& event) {
  const auto found = writers().find(event.type);
  if (found != writers().end()) return found->second(event);
  return {LogLevel::debug, event.type + " " + plain_text(event.data)};
}

}  // namespace drydock
