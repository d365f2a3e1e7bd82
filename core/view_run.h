// What the plain and the terminal view know while a run goes on: in which phase it is, what the
// stages are called, and the last log lines of each that may fail.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "view_closing.h"
#include "view_plan.h"

namespace drydock {

enum class Phase { none, planning, running, rolling_back };

// The newest log lines that were not shown, to be shown when something fails.
class LogTail {
 public:
  void add(const std::string& text);
  Lines take();

 private:
  std::deque<std::string> lines_;
};

struct RunPicture {
  // To be called first with each event.
  void add(const Event& event);
  std::string name_of(const Event& event) const;  // of the event's stage, for people
  // "Rolling back 3 stages", with the reason unless the last failed stage has just given it.
  std::string rollback_text(const Event& rollback_started) const;

  Phase phase = Phase::none;
  PlanReport plan;
  ClosingReport closing;
  std::map<std::string, LogTail> tails;      // of each stage
  std::map<std::string, std::string> names;  // stage -> name
  std::string last_failure;                  // reason
};

// Does a view show this log event at once?
bool shown_at_once(const Event& log_event, bool verbose);

}  // namespace drydock
