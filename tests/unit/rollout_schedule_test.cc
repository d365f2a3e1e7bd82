#include "rollout_schedule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace drydock {
namespace {

using std::chrono::milliseconds;

ScheduledWave wave(std::size_t count, unsigned parallel, unsigned max_failures = 0) {
  ScheduledWave wave;
  wave.count = count;
  wave.parallel = parallel;
  wave.max_failures = max_failures;
  return wave;
}
using Targets = std::vector<std::size_t>;

TEST(RolloutSchedule, StartsAsManyAsMayRunAndOneForEachThatEnds) {
  Schedule schedule({wave(4, 2)}, false);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0, 1}));
  EXPECT_EQ(schedule.decide(0).start, Targets());
  schedule.finished(1, true);
  EXPECT_EQ(schedule.decide(0).start, (Targets{2}));
}

TEST(RolloutSchedule, LetsWhatRunsEndOnceTheBudgetIsSpent) {
  Schedule schedule({wave(9, 3, 1), wave(1, 1)}, false);
  schedule.decide(0);
  schedule.finished(0, false);
  EXPECT_EQ(schedule.decide(0).start, (Targets{3})) << "one may fail";
  schedule.finished(1, false);
  const auto spent = schedule.decide(0);
  EXPECT_EQ(spent.start, Targets());
  EXPECT_EQ(spent.cancel, Targets());
  EXPECT_EQ(spent.end, Schedule::End::none) << "two still run";
  schedule.finished(2, true);
  schedule.finished(3, true);
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
}

TEST(RolloutSchedule, OneThatIsRefusedBeforeItsWaveHasFailedThere) {
  Schedule schedule({wave(1, 1), wave(3, 3, 1)}, false);
  schedule.refused(2);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0}));
  EXPECT_EQ(schedule.failed(), 0u) << "of the wave at work";
  schedule.finished(0, true);
  while (schedule.decide(0).passed_wave) {
  }
  EXPECT_EQ(schedule.failed(), 1u);
  EXPECT_EQ(schedule.running(), 2u);
  Schedule another({wave(2, 2)}, false);
  another.refused(0);
  EXPECT_EQ(another.decide(0).end, Schedule::End::failed) << "and the other one is not begun";
}

TEST(RolloutSchedule, OneThatWasNotBegunAfterAllWaitsAgain) {
  Schedule schedule({wave(3, 2)}, false);
  schedule.decide(0);
  schedule.finished(0, false);
  ASSERT_TRUE(schedule.over_budget());
  schedule.not_begun(1);
  EXPECT_EQ(schedule.running(), 0u);
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
  EXPECT_EQ(schedule.failed(), 1u);
}

TEST(RolloutSchedule, OneThatIsAwayLeavesItsPlaceToAnother) {
  Schedule schedule({wave(3, 1)}, false);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0}));
  schedule.away(0);
  EXPECT_EQ(schedule.decide(0).start, (Targets{1}));
  schedule.back(0);
  EXPECT_EQ(schedule.decide(0).start, Targets()) << "until there is a place";
  schedule.finished(1, true);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0})) << "in its turn";
  schedule.away(0);
  EXPECT_EQ(schedule.decide(0).start, (Targets{2}));
  schedule.finished(2, true);
  const auto waits = schedule.decide(0);
  EXPECT_EQ(waits.start, Targets());
  EXPECT_EQ(waits.end, Schedule::End::none);
  EXPECT_FALSE(waits.ended_wave);
  schedule.back(0);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0}));
  schedule.unreachable(0);
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
}

TEST(RolloutSchedule, CancelsWhatRunsOnceWhereItIsToldTo) {
  Schedule schedule({wave(9, 3)}, true);
  schedule.decide(0);
  schedule.finished(1, false);
  EXPECT_EQ(schedule.decide(0).cancel, (Targets{0, 2}));
  EXPECT_EQ(schedule.decide(0).cancel, Targets());
}

TEST(RolloutSchedule, UnreachableOnesSpendNoBudgetAndVerifyNothing) {
  ScheduledWave two = wave(2, 2);
  two.max_unreachable = 1;
  Schedule schedule({two, two, wave(1, 1)}, false);
  schedule.decide(0);
  schedule.unreachable(0);
  schedule.finished(1, true);
  schedule.decide(0);
  EXPECT_EQ(schedule.decide(0).start, (Targets{2, 3})) << "one was verified";
  schedule.unreachable(2);
  schedule.skipped(3);
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
  EXPECT_TRUE(schedule.nothing_upgraded());
}

TEST(RolloutSchedule, AWaveWhoseFailuresWereAllAllowedHasVerifiedNothing) {
  Schedule schedule({wave(2, 2, 2), wave(1, 1)}, false);
  schedule.decide(0);
  schedule.finished(0, false);
  schedule.finished(1, false);
  EXPECT_FALSE(schedule.over_budget());
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
  EXPECT_TRUE(schedule.nothing_upgraded());
}

TEST(RolloutSchedule, AWaveThatIsPutBackDoesNotGoOn) {
  for (const TargetState state : {TargetState::rolling_back, TargetState::rolled_back,
                                  TargetState::not_put_back, TargetState::abandoned}) {
    Schedule schedule({wave(3, 1, 1), wave(1, 1)}, false,
                      {state, TargetState::failed, TargetState::waiting}, {});
    const auto decision = schedule.decide(0);
    EXPECT_EQ(decision.start, Targets());
    EXPECT_EQ(decision.end, Schedule::End::failed);
    EXPECT_TRUE(schedule.put_back());
  }
}

TEST(RolloutSchedule, SoaksThenAsksTheGateThenAPerson) {
  ScheduledWave first = wave(1, 1);
  first.soak = milliseconds(1000);
  first.gate = first.approve = true;
  Schedule schedule({first, wave(1, 1)}, false);
  schedule.decide(5);
  schedule.finished(0, true);
  const auto soaking = schedule.decide(10);
  EXPECT_EQ(soaking.ended_wave, 0u);
  EXPECT_EQ(soaking.not_before, 1010);
  EXPECT_EQ(schedule.decide(1009).gate, std::nullopt);
  EXPECT_EQ(schedule.decide(1010).gate, 0u);
  EXPECT_EQ(schedule.decide(1011).gate, std::nullopt) << "it is being asked";
  schedule.gate(true);
  EXPECT_EQ(schedule.decide(1012).approval, 0u);
  schedule.approved(0);
  EXPECT_EQ(schedule.decide(1013).passed_wave, 0u);
  EXPECT_EQ(schedule.decide(1013).start, (Targets{1}));
}

TEST(RolloutSchedule, AGateThatDoesNotHoldEndsIt) {
  ScheduledWave first = wave(1, 1);
  first.gate = true;
  Schedule schedule({first, wave(1, 1)}, false);
  schedule.decide(0);
  schedule.finished(0, true);
  schedule.decide(0);
  schedule.gate(false);
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
}

// The soak counts from when the wave ended, whoever saw it.
TEST(RolloutSchedule, ASoakGoesOnWhereAnotherSupervisorLeftIt) {
  ScheduledWave first = wave(1, 1);
  first.soak = milliseconds(1000);
  KnownWave known;
  known.ended = 500;
  Schedule schedule({first, wave(1, 1)}, false, {TargetState::done, TargetState::waiting},
                    {known, {}});
  EXPECT_EQ(schedule.decide(600).not_before, 1500);
  EXPECT_EQ(schedule.decide(1500).passed_wave, 0u);
}

// Also where the clock was set back.
TEST(RolloutSchedule, AWaveThatHasPassedDoesNotSoakAgain) {
  ScheduledWave first = wave(1, 1);
  first.soak = milliseconds(1000);
  first.gate = first.approve = true;
  KnownWave known;
  known.ended = 500;
  known.passed = true;
  Schedule schedule({first, wave(1, 1)}, false, {TargetState::done, TargetState::waiting},
                    {known, {}});
  EXPECT_EQ(schedule.decide(600).passed_wave, 0u);
  EXPECT_EQ(schedule.decide(600).start, (Targets{1}));
}

// A wave is begun again while a later one is at work: first what runs there ends, and its failures
// are those of its own wave.
TEST(RolloutSchedule, WhatRunsInALaterWaveEndsBeforeAnEarlierOneIsBegunAgain) {
  Schedule schedule(
      {wave(2, 2), wave(2, 2)}, false,
      {TargetState::waiting, TargetState::done, TargetState::running, TargetState::running},
      {{}, {}});
  EXPECT_EQ(schedule.running(), 2u);
  EXPECT_EQ(schedule.decide(0).start, Targets());
  schedule.finished(2, true);
  EXPECT_EQ(schedule.decide(0).start, Targets());
  schedule.finished(3, false);
  EXPECT_EQ(schedule.failed(), 0u);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0}));
  schedule.finished(0, true);
  schedule.decide(0);
  EXPECT_EQ(schedule.wave(), 1u);
  EXPECT_EQ(schedule.decide(0).end, Schedule::End::failed);
}

// Where the wave before has passed, what runs is of the wave that is at work.
TEST(RolloutSchedule, TheWaveAtWorkGoesOnWhereAnotherSupervisorLeftIt) {
  KnownWave passed;
  passed.ended = 0;
  passed.passed = true;
  Schedule schedule({wave(1, 1), wave(0, 1), wave(3, 2)}, false,
                    {TargetState::done, TargetState::running, TargetState::waiting}, {passed});
  EXPECT_EQ(schedule.decide(0).passed_wave, 0u);
  EXPECT_EQ(schedule.decide(0).passed_wave, 1u);
  EXPECT_EQ(schedule.running(), 1u);
  EXPECT_EQ(schedule.decide(0).start, (Targets{2}));
}

TEST(RolloutSchedule, WhatRunsWhenItGoesOnCounts) {
  Schedule schedule({wave(4, 2)}, false,
                    {TargetState::done, TargetState::running, TargetState::waiting}, {});
  EXPECT_EQ(schedule.running(), 1u);
  EXPECT_EQ(schedule.decide(0).start, (Targets{2}));
}

TEST(RolloutSchedule, AnEmptyWaveIsPassedWithoutAGate) {
  ScheduledWave empty = wave(0, 1);
  empty.gate = empty.approve = true;
  Schedule schedule({empty, wave(1, 1)}, false);
  EXPECT_EQ(schedule.decide(0).passed_wave, 0u);
  EXPECT_EQ(schedule.decide(0).start, (Targets{0}));
}

}  // namespace
}  // namespace drydock
