#include "view_plain.h"

#include <gtest/gtest.h>

#include <sstream>

#include "view_samples.h"

namespace drydock {
namespace {

std::string shown(const std::vector<Event>& events, const ViewStyle& style = {}) {
  std::ostringstream out;
  const auto view = make_plain_view(out, style);
  for (const Event& event : events) view->event(event);
  return out.str();
}

TEST(PlainView, HasOneLineForTheStartAndOneForTheEndOfAStage) {
  EXPECT_EQ(shown({stage_started(1, "pull", 2), step_started(1, "pull", "run"),
                   log_line(2, "pull", "info", "Pulling api"), step_finished(13, "pull", "run"),
                   step_started(13, "pull", "verify"), step_finished(13, "pull", "verify"),
                   stage_finished(13, "pull", "done")}),
            "pull: started (2 of 4)\n"
            "pull: done in 12 s\n");
}

TEST(PlainView, ShowsProgressAtMostEveryTenSeconds) {
  std::vector<Event> events = {stage_started(0, "pull", 1)};
  for (int second = 0; second <= 25; ++second) {
    events.push_back(progress(second, "pull", second * 1'000'000, 40'000'000, "bytes"));
  }
  EXPECT_EQ(shown(events),
            "pull: started (1 of 4)\n"
            "pull: 10/40 MB\n"
            "pull: 20/40 MB\n");
}

TEST(PlainView, ShowsTheLastLogLinesOfAStageThatFails) {
  std::vector<Event> events = {stage_started(1, "migrate", 1), step_started(1, "migrate", "run")};
  for (int i = 1; i <= 14; ++i) {
    events.push_back(log_line(1, "migrate", "info", "line " + std::to_string(i)));
  }
  events.push_back(step_finished(2, "migrate", "run", "failed", "exit code 1"));
  events.push_back(stage_finished(2, "migrate", "failed", "exit code 1\nsee above", 1000));
  const std::string text = shown(events);
  EXPECT_EQ(text.find("line 2\n"), std::string::npos) << text;
  EXPECT_EQ(text.substr(text.find("migrate | line 13")),
            "migrate | line 13\n"
            "migrate | line 14\n"
            "migrate: failed after 1.0 s: exit code 1 see above\n");
}

TEST(PlainView, ShowsTheLogLinesOfTheStageThatFailsAndNotOfThoseThatRunBesideIt) {
  const std::string text = shown(
      {step_started(1, "left", "run"), step_started(1, "right", "run"),
       log_line(1, "left", "info", "on the left"), log_line(1, "right", "info", "on the right"),
       step_started(2, "third", "run"), stage_finished(2, "left", "failed", "exit code 1", 1000)});
  EXPECT_EQ(text,
            "left | on the left\n"
            "left: failed after 1.0 s: exit code 1\n");
}

TEST(PlainView, ShowsWarningsAtOnceAndInformationOnlyWhenVerbose) {
  const std::vector<Event> events = {log_line(1, "pull", "warning", "slow \x1b[31mregistry"),
                                     log_line(1, "pull", "info", "layer 1"),
                                     log_line(1, "pull", "debug", "GET /v2/")};
  EXPECT_EQ(shown(events), "pull: slow \\x1b[31mregistry\n");
  ViewStyle verbose;
  verbose.verbose = true;
  EXPECT_EQ(shown(events, verbose), "pull: slow \\x1b[31mregistry\npull: layer 1\n");
}

TEST(PlainView, TellsARollbackStepByStep) {
  EXPECT_EQ(
      shown({event_at(5, "rollback.started", {{"reason", "stage migrate failed"}, {"stages", 2}}),
             step_started(5, "up", "rollback"), step_finished(6, "up", "rollback"),
             step_started(6, "stop", "settle"),
             step_finished(7, "stop", "settle", "crashed", "crashed (SIGSEGV)"),
             step_started(7, "up", "observe"), step_finished(7, "up", "observe"),
             event_at(7, "fact.differs", {{"name", "api"}, {"before", "1"}, {"after", "2"}}, "up",
                      "observe"),
             event_at(8, "rollback.finished", {{"status", "failed"}, {"duration_ms", 3000}})}),
      "Rolling back 2 stages: stage migrate failed\n"
      "up: step rollback done in 0.8 s\n"
      "stop: step settle crashed after 0.8 s: crashed (SIGSEGV)\n"
      "up: 'api' was '1' before the run and is '2' now\n"
      "not wholly rolled back, or not verified, after 3.0 s\n");
}

TEST(PlainView, DoesNotSayTheReasonOfAFailureTwice) {
  EXPECT_EQ(shown({stage_finished(4, "migrate", "failed", "exit code 1", 1000),
                   event_at(5, "rollback.started", {{"reason", "exit code 1"}, {"stages", 2}})}),
            "migrate: failed after 1.0 s: exit code 1\n"
            "Rolling back 2 stages\n");
}

TEST(PlainView, AReaderThatGoesAwayIsAnError) {
  std::ostringstream out;
  const auto view = make_plain_view(out, ViewStyle{});
  out.setstate(std::ios::badbit);
  EXPECT_THROW(view->event(stage_started(1, "pull", 1)), std::exception);
}

}  // namespace
}  // namespace drydock
