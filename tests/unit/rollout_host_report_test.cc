#include "rollout_host_report.h"

#include <gtest/gtest.h>

#include "error.h"
#include "json_text.h"
#include "rollout_host_survey.h"
#include "version.h"

namespace drydock {
namespace {

using nlohmann::json;
using Sentences = std::vector<std::string>;

RolloutTarget some_target() {
  RolloutTarget target;
  target.name = "eu-1";
  target.host = "web-1";
  target.dir = "/srv/app";
  return target;
}

json answer() {
  return {
      {"interrupted", nullptr},
      {"half_done", nullptr},
      {"installation",
       {{"version", version},
        {"rollout_protocol", 1},
        {"clock_ms", 1'000'500},
        {"free_bytes", 1 << 30},
        {"stages",
         {{"exec",
           {{"plugin", "drydock.exec"}, {"version", "0.1.0"}, {"sha256", "aa"}, {"file", "/e.so"}}},
          {"pull",
           {{"plugin", "drydock.pull"},
            {"version", "0.1.0"},
            {"sha256", "bb"},
            {"file", "/p.so"}}}}},
        {"problems", json::array()}}}};
}

Expected expected() {
  Expected expected;
  expected.version = version;
  expected.stages["exec"] = {"drydock.exec", "0.1.0", "aa", "/here/e.so"};
  return expected;
}

HostFindings findings_of(const json& document, const Expected& wanted = expected(), int code = 0) {
  ChildEvent ended;
  ended.ended = true;
  ended.code = code;
  return judge(some_target(),
               read_host_report(some_target(), indented(document), ended, 1'000'000, 1'001'000),
               wanted);
}

TEST(HostReportTest, OfAHostThatIsAsItShouldBe) {
  const HostFindings findings = findings_of(answer());
  EXPECT_EQ(findings.refusals, Sentences{});
  EXPECT_EQ(findings.warnings, Sentences{});
  EXPECT_FALSE(findings.unreachable);
}

TEST(HostReportTest, OfAnotherVersion) {
  json document = answer();
  document["installation"]["version"] = "0.9.3";
  EXPECT_EQ(findings_of(document).warnings,
            Sentences{"Drydock is 0.9.3 there, and " + std::string(version) + " here"});
  document["installation"]["version"] = "7.0.0";
  EXPECT_EQ(findings_of(document).refusals,
            Sentences{"Drydock 7.0.0 there and " + std::string(version) +
                      " here do not work together; install the same one"});
  document = answer();
  document["installation"]["rollout_protocol"] = 2;
  EXPECT_EQ(findings_of(document).refusals.size(), 1u);
}

TEST(HostReportTest, OfOtherPlugins) {
  json document = answer();
  document["installation"]["stages"]["exec"]["sha256"] = "cc";
  EXPECT_EQ(findings_of(document).warnings,
            Sentences{"the plugin drydock.exec is 0.1.0 (cc) there, and 0.1.0 (aa) here"});
  Expected pinned = expected();
  pinned.pins["drydock.exec"].sha256 = "aa";
  EXPECT_EQ(findings_of(document, pinned).refusals,
            Sentences{"the plugin drydock.exec there (/e.so) has the SHA-256 cc, and the pipeline "
                      "wants aa; install that one, or change the pin"});
  pinned.pins["drydock.exec"] = PluginPin{">=2", "", {}};
  EXPECT_EQ(findings_of(document, pinned).refusals,
            Sentences{"the plugin drydock.exec has version 0.1.0 there (/e.so), and the pipeline "
                      "wants >=2; install that one, or change the pin"});
  document["installation"]["stages"].erase("exec");
  EXPECT_EQ(findings_of(document).refusals,
            Sentences{"the stage type exec is not there; install the plugin that provides it for "
                      "that user"});
}

TEST(HostReportTest, OfAClockThatIsOff) {
  json document = answer();
  for (const auto& [clock, said] :
       std::vector<std::pair<Instant, std::string>>{{970'000, ""},    // 30 s behind: within it
                                                    {1'031'000, ""},  // as far ahead
                                                    {969'999, "behind"},
                                                    {1'031'001, "ahead of"}}) {
    document["installation"]["clock_ms"] = clock;
    const Sentences warnings = findings_of(document).warnings;
    if (said.empty()) {
      EXPECT_EQ(warnings, Sentences{}) << clock;
    } else {
      ASSERT_EQ(warnings.size(), 1u) << clock;
      EXPECT_NE(warnings[0].find(" " + said + " this one's"), std::string::npos) << warnings[0];
    }
  }
}

TEST(HostReportTest, OfAFullDiskAndARunThatWaits) {
  json document = answer();
  document["installation"]["free_bytes"] = 1 << 20;
  document["interrupted"] = "run 3 was interrupted in stage 'up'";
  EXPECT_EQ(
      findings_of(document, expected(), 4).refusals,
      (Sentences{"its disk is full: 1.0 MB are free for /srv/app, and a run needs at least 64 "
                 "MB for its journal and logs",
                 "a run waits there: run 3 was interrupted in stage 'up' (by `ssh web-1 "
                 "drydock -C /srv/app status`)"}));
  document["installation"]["free_bytes"] = nullptr;
  document["interrupted"] = nullptr;
  EXPECT_EQ(findings_of(document).refusals, Sentences{}) << "a file system that does not say";
}

TEST(HostReportTest, OfAnAnswerThatIsNone) {
  EXPECT_EQ(findings_of({{"error", "there is no folder /srv/app"}, {"exit_code", 2}}, expected(), 2)
                .refusals,
            Sentences{"Drydock there does not say what it is: there is no folder /srv/app"});
  EXPECT_EQ(findings_of({{"installation", 7}}, expected()).refusals.size(), 1u);
}

TEST(HostSurveyTest, WhatIsWrongWithLaterWavesIsAWarningAndAskedAgain) {
  RolloutPlan plan;
  HostSurvey survey;
  for (const char* name : {"a", "b", "c", "d"}) {
    RolloutTarget target = some_target();
    target.name = name;
    plan.targets.push_back(target);
    survey.reports.emplace_back();
    survey.reports.back().asked = true;
    survey.findings.emplace_back();
    plan.waves.emplace_back();
    plan.waves.back().name = std::string("of-") + name;
    plan.waves.back().first = plan.targets.size() - 1;
    plan.waves.back().count = 1;
  }
  survey.findings[2] = {{"its disk is full"}, {"its clock is off"}, false};
  survey.findings[3] = {{}, {"web-1 is not reached"}, true};
  HostSurvey same = survey;
  EXPECT_EQ(put_off_later_waves(plan, 1, survey), (std::set<std::size_t>{2, 3}));
  EXPECT_NO_THROW(require_fit(plan, survey));
  EXPECT_EQ(survey.findings[2].warnings,
            (Sentences{"its disk is full; asked again before the wave of-c",
                       "its clock is off; asked again before the wave of-c"}));
  EXPECT_EQ(survey.findings[3].warnings,
            Sentences{"web-1 is not reached; asked again before the wave of-d"});
  EXPECT_EQ(put_off_later_waves(plan, 2, same), (std::set<std::size_t>{3}));
  EXPECT_THROW(require_fit(plan, same), Error) << "of the wave that is at work";
}

// How many of a wave may be away is the wave's to say.
TEST(HostSurveyTest, WhatIsAwayIsRefusedBeyondTheWavesShare) {
  RolloutPlan plan;
  HostSurvey survey;
  for (const char* name : {"a", "b", "c"}) {
    RolloutTarget target = some_target();
    target.name = name;
    plan.targets.push_back(target);
    survey.reports.emplace_back();
    survey.reports.back().asked = true;
    survey.findings.emplace_back();
  }
  RolloutWave first, second;
  first.count = 1;
  second.first = 1;
  second.count = 2;
  second.max_unreachable = 1;
  plan.waves = {first, second};
  const auto away = [&](std::size_t at) {
    survey.findings[at].unreachable = true;
    survey.findings[at].warnings = {"web-1 is not reached"};
  };
  away(1);
  EXPECT_NO_THROW(require_fit(plan, survey));
  away(2);
  try {
    require_fit(plan, survey);
    FAIL() << "two of the second wave are away, and one may be";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "b: web-1 is not reached; nothing was started");
    EXPECT_EQ(e.details(), Sentences{"c: web-1 is not reached"});
  }
  EXPECT_EQ(
      host_survey_lines(plan, survey, ViewStyle{}),
      (Lines{"3 environments asked:", "  warning: b, c: web-1 is not reached"}));
}

}  // namespace
}  // namespace drydock
