#include "view_run.h"

#include "event_text.h"

namespace drydock {

void LogTail::add(const std::string& text) {
  constexpr std::size_t kept = 12;
  lines_.push_back(text);
  if (lines_.size() > kept) lines_.pop_front();
}

Lines LogTail::take() {
  Lines lines(lines_.begin(), lines_.end());
  lines_.clear();
  return lines;
}

void RunPicture::add(const Event& event) {
  plan.add(event);
  closing.add(event);
  if (const std::string name = text_at(event.data, "name");
      !name.empty() && (event.type.rfind("stage.", 0) == 0 || event.type == "step.started")) {
    names[event.stage] = name;
  }
  if (event.type == "stage.finished") last_failure = text_at(event.data, "reason");
  if (event.type == "plan.started") phase = Phase::planning;
  if (event.type == "plan.finished") phase = Phase::none;
  if (event.type == "run.started" || event.type == "rollback.finished") phase = Phase::running;
  if (event.type == "rollback.started") phase = Phase::rolling_back;
  if (event.type == "run.finished") phase = Phase::none;
  if (event.type == "stage.started" || event.type == "step.started") {
    // The lines of run explain a failure of verify as well.
    if (event.step != "verify") tails.erase(event.stage);
  }
}

std::string RunPicture::name_of(const Event& event) const {
  const auto found = names.find(event.stage);
  return one_line(found == names.end() ? event.stage : found->second);
}

std::string RunPicture::rollback_text(const Event& rollback_started) const {
  const std::string reason = text_at(rollback_started.data, "reason");
  const std::string why = reason.empty() || reason == last_failure ? "" : ": " + reason;
  return "Rolling back " + count_of(number_at(rollback_started.data, "stages"), "stage") + why;
}

bool shown_at_once(const Event& log_event, bool verbose) {
  const LogLevel level = level_of(log_event);
  return level >= LogLevel::warning || (verbose && level == LogLevel::info);
}

}  // namespace drydock
