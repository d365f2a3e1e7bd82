// Outages, and the stages that they fell into.
#include "downtime.h"

#include <gtest/gtest.h>

namespace drydock {
namespace {

using std::chrono::milliseconds;

Outage outage(int from, int until, bool open = false) {
  return {MonotonicTime(from), MonotonicTime(until), open};
}
Busy busy(const std::string& stage, const std::string& step, int from, int until) {
  return {stage, step, MonotonicTime(from), MonotonicTime(until)};
}

TEST(Downtime, SumsOutagesAndFindsTheLongest) {
  Downtime downtime;
  EXPECT_EQ(downtime.unreachable(), milliseconds(0));
  EXPECT_FALSE(downtime.still_down());
  downtime.outages = {outage(100, 400), outage(1000, 2500), outage(3000, 3100, true)};
  EXPECT_EQ(downtime.unreachable(), milliseconds(1900));
  EXPECT_EQ(downtime.longest_gap(), milliseconds(1500));
  EXPECT_TRUE(downtime.still_down());
}

TEST(Downtime, GivesEachStageItsShare) {
  Downtime downtime;
  downtime.outages = {outage(100, 400), outage(600, 1000)};
  const auto stages =
      stages_of(downtime, {busy("before", "run", 0, 100), busy("stop", "run", 90, 300),
                           busy("stop", "verify", 300, 350), busy("left", "run", 600, 700),
                           busy("right", "run", 600, 800), busy("stop", "rollback", 950, 5000),
                           busy("later", "run", 1000, 2000)});
  const nlohmann::json expected = {
      {{"stage", "stop"}, {"step", "run"}, {"unreachable_ms", 250}},
      {{"stage", "left"}, {"step", "run"}, {"unreachable_ms", 100}},
      {{"stage", "right"}, {"step", "run"}, {"unreachable_ms", 200}},
      {{"stage", "stop"}, {"step", "rollback"}, {"unreachable_ms", 50}}};
  EXPECT_EQ(stages, expected);
}

TEST(Downtime, AStageThatNeverFinishedHasTheRest) {
  Downtime downtime;
  downtime.outages = {outage(100, 400, true)};
  const auto stages =
      stages_of(downtime, {{"crashed", "run", MonotonicTime(200), MonotonicTime::max()}});
  EXPECT_EQ(stages.at(0).at("unreachable_ms"), 200);
}

TEST(Downtime, ReadsOnlyWhatAProbePutsOut) {
  const auto read = read_outage("7 19 open");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->from, MonotonicTime(7));
  EXPECT_EQ(read->until, MonotonicTime(19));
  EXPECT_TRUE(read->open);
  EXPECT_FALSE(read_outage("7 19")->open);
  for (const char* text : {"", "7", "19 7", "-7 19", "7 19 closed", "7 19 open 3", "a b"}) {
    EXPECT_FALSE(read_outage(text)) << text;
  }
  Downtime downtime;
  EXPECT_TRUE(read_requests("30 2 1", downtime));
  EXPECT_EQ(downtime.requests, 30u);
  EXPECT_EQ(downtime.failed, 2u);
  EXPECT_EQ(downtime.slow, 1u);
  for (const char* text : {"", "30 2", "30 2 1 0", "a"}) {
    EXPECT_FALSE(read_requests(text, downtime)) << text;
  }
}

}  // namespace
}  // namespace drydock
