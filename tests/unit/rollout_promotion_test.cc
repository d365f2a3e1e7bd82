// What environments promote, whether one has drifted, and what history teaches: all of it pure.
#include "rollout_promotion.h"

#include <gtest/gtest.h>

#include "rollout_drift.h"
#include "rollout_history.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

json digests(const json& services) { return {{"pull", {{"digests", services.dump()}}}}; }

TEST(RolloutPromotion, WhatAgreesIsHandedOn) {
  Promotion promotion;
  EXPECT_EQ(promotion.accepted(), json::object());
  EXPECT_EQ(promotion.add("a", {{"source", {{"commit", "abc"}}}}), "");
  EXPECT_EQ(promotion.add("b", {{"source", {{"commit", "abc"}}}}), "");
  EXPECT_EQ(promotion.accepted()["source"]["commit"], "abc");
}

TEST(RolloutPromotion, EnvironmentsMayHaveOtherServices) {
  Promotion promotion;
  EXPECT_EQ(promotion.add("a", digests({{"api", "sha256:1"}, {"web", "sha256:2"}})), "");
  EXPECT_EQ(promotion.add("b", digests({{"api", "sha256:1"}, {"worker", "sha256:3"}})), "");
  EXPECT_EQ(json::parse(promotion.accepted()["pull"]["digests"].get<std::string>()),
            (json{{"api", "sha256:1"}, {"web", "sha256:2"}, {"worker", "sha256:3"}}));
}

TEST(RolloutPromotion, ADisagreementNamesBoth) {
  Promotion promotion;
  promotion.add("a", digests({{"web", "sha256:2"}}));
  promotion.add("b", digests({{"api", "sha256:1"}}));
  EXPECT_EQ(promotion.add("c", digests({{"api", "sha256:9"}})),
            "environments disagree about pull.digests of api: 'b' has sha256:1 and 'c' has "
            "sha256:9");
  Promotion commits;
  commits.add("a", {{"source", {{"commit", "abc"}}}});
  EXPECT_EQ(commits.add("b", {{"source", {{"commit", "def"}}}}),
            "environments disagree about source.commit: 'a' has abc and 'b' has def");
}

KnownEnvironment known_at(std::uint64_t run) {
  KnownEnvironment known;
  known.rollout = "sample";
  known.run = run;
  known.images = {{"api", "app:1.2"}, {"web", "web:7"}};
  return known;
}

FoundEnvironment found_at(std::uint64_t run, const std::string& state) {
  FoundEnvironment found;
  found.run = run;
  found.state = state;
  found.images = json{{"api", "app:1.2"}, {"web", "web:7"}};
  return found;
}

TEST(RolloutDrift, IsWhateverNoRolloutDid) {
  EXPECT_EQ(drift_of(known_at(3), found_at(3, "done")), "");
  EXPECT_EQ(drift_of(known_at(3), found_at(4, "rolled_back")), "") << "it is as before";
  EXPECT_EQ(drift_of(known_at(3), found_at(3, "rolled_back")),
            "the rollout 'sample' left it at run 3, which was rolled back since");
  EXPECT_EQ(drift_of(known_at(3), found_at(5, "done")),
            "the rollout 'sample' left it at run 3, and run 5 came after it");
  EXPECT_EQ(drift_of(known_at(3), found_at(0, "")),
            "the rollout 'sample' left it at run 3, and no run is known there");
  FoundEnvironment found = found_at(3, "done");
  found.images = json{{"api", "app:1.3"}, {"worker", "app:1.3"}};
  EXPECT_EQ(drift_of(known_at(3), found),
            "the rollout 'sample' left it at run 3, and since then api runs app:1.3 instead of "
            "app:1.2, web has no container any more, worker is new");
  found.images.reset();
  EXPECT_EQ(drift_of(known_at(3), found), "") << "an engine that does not answer proves nothing";
}

TEST(RolloutDrift, IsReadFromWhatStatusPrints) {
  EXPECT_FALSE(read_status("drydock: no"));
  EXPECT_FALSE(read_status(R"({"error": "no such folder"})"));
  const auto never = read_status(R"({"last_run": null, "services": null, "interrupted": null})");
  ASSERT_TRUE(never);
  EXPECT_EQ(never->run, 0u);
  EXPECT_FALSE(never->images);
  const auto found = read_status(
      R"({"last_run": {"run": 7, "key": "k", "state": "done", "vars": {"to": 1.5}},
          "interrupted": null, "half_done": "run 7 waits",
          "services": [{"service": "api", "image": "app:1"}]})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->run, 7u);
  EXPECT_EQ(found->version, "1.5");
  EXPECT_EQ(found->waits, "run 7 waits");
  EXPECT_EQ((*found->images)["api"], "app:1");
}

RunSummary took(const std::string& place, std::int64_t duration,
                const std::string& state = "done") {
  RunSummary run;
  run.place = place;
  run.pipeline = "app";
  run.state = state;
  run.duration_ms = duration;
  return run;
}

TEST(RolloutHistory, LearnsFromTheSamePlaceFirst) {
  const std::vector<RunSummary> runs = {
      took("a", 100), took("b", 900), took("a", 300), took("a", 200), took("a", 5, "rolled_back"),
      took("a", -1)};
  EXPECT_EQ(likely_duration_ms(runs, "app", "a"), 200);
  EXPECT_EQ(likely_duration_ms(runs, "app", "c"), 300) << "else from all";
  EXPECT_EQ(likely_duration_ms(runs, "other", "a"), -1);
}

TEST(RolloutHistory, AWaveTakesAsLongAsItsBusiestSlot) {
  EXPECT_EQ(likely_wave_ms({10, 10, 10}, 1, 5), 35);
  EXPECT_EQ(likely_wave_ms({30, 10, 10, 10}, 2, 0), 30);
  EXPECT_EQ(likely_wave_ms({10, -1}, 2, 0), -1);
  EXPECT_EQ(likely_wave_ms({}, 2, 7), 7);
}

TEST(UtcTime, IsReadWithAndWithoutItsFraction) {
  EXPECT_EQ(utc_milliseconds("1970-01-01T00:00:01.500Z"), 1500);
  EXPECT_EQ(utc_milliseconds("1970-01-01T00:00:02Z"), 2000);
  EXPECT_EQ(utc_milliseconds("1970-01-01T00:00"), 0);
  EXPECT_EQ(utc_time(1500), "1970-01-01T00:00:01.500Z");
}

TEST(RolloutHistory, ReadsWhatHistoryPrints) {
  RolloutTarget target;
  target.name = "eu-1";
  target.dir = "/srv";
  const auto runs = summaries_in(
      R"([{"run": 2, "pipeline": "app", "state": "rolled_back", "exit_code": 1, "user": "me",
           "started": "2026-11-26T05:00:00.000Z", "finished": "2026-11-26T05:00:02.500Z",
           "reason": "no", "vars": {"to": "1.2"}}, {"run": 0}, 5])",
      target, "here");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].place, "here:/srv");
  EXPECT_EQ(runs[0].version, "1.2");
  EXPECT_EQ(runs[0].duration_ms, 2500);
  EXPECT_TRUE(summaries_in("nonsense", target, "here").empty());
}

}  // namespace
}  // namespace drydock
