#include "rollout_progress.h"

#include <gtest/gtest.h>

#include <sstream>

#include "text.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

constexpr Instant begin = 5'000'000;

ViewStyle style(bool terminal) {
  ViewStyle style;
  style.terminal = terminal;
  return style;
}

bool contains(const std::ostringstream& out, const std::string& text) {
  return out.str().find(text) != std::string::npos;
}

TEST(RolloutProgress, WhatAnswersAtOnceIsNotTalkedAbout) {
  for (const bool terminal : {false, true}) {
    std::ostringstream out;
    {
      SurveyProgress progress(&out, style(terminal));
      progress.begin("asked", 2, begin);
      progress.asks("a");
      EXPECT_EQ(progress.show(begin), milliseconds(terminal ? 1'000 : 10'000));
      EXPECT_EQ(progress.show(begin + 999), milliseconds(terminal ? 1 : 9'001));
      progress.answered("a");
      progress.end();
    }
    EXPECT_EQ(out.str(), "");
  }
}

TEST(RolloutProgress, WithoutATerminalALineNowAndThen) {
  std::ostringstream out;
  SurveyProgress progress(&out, style(false));
  progress.begin("asked", 6, begin);
  for (const char* name : {"a", "b", "c", "d", "e"}) progress.asks(name);
  progress.answered("b");
  EXPECT_EQ(progress.show(begin + 10'000), milliseconds(10'000));
  EXPECT_EQ(progress.show(begin + 10'500), milliseconds(9'500)) << "not once more";
  EXPECT_EQ(out.str(), "  1 of 6 environments asked in 10 s; waiting for a, c, d and 1 more\n");
  for (const char* name : {"a", "c", "e"}) progress.answered(name);
  out.str("");
  progress.show(begin + 20'000);
  EXPECT_EQ(out.str(), "  4 of 6 environments asked in 20 s; waiting for d\n");
  // The next question begins anew.
  progress.begin("planned", 1, begin + 21'000);
  out.str("");
  progress.show(begin + 30'999);
  EXPECT_EQ(out.str(), "");
  progress.show(begin + 31'000);
  EXPECT_EQ(out.str(), "  0 of 1 environment planned in 10 s\n");
}

TEST(RolloutProgress, OnATerminalOneLineThatGoes) {
  std::ostringstream out;
  SurveyProgress progress(&out, style(true));
  progress.begin("asked", 2, begin);
  progress.asks("a");
  EXPECT_EQ(progress.show(begin + 1'000), milliseconds(500));
  EXPECT_TRUE(contains(out, "0 of 2 environments asked in 1.0 s; waiting for a"));
  progress.show(begin + 1'500);
  EXPECT_TRUE(contains(out, "\x1b[1A\r\x1b[J")) << "drawn over";
  out.str("");
  progress.end();
  EXPECT_EQ(out.str(), "\x1b[1A\r\x1b[J");
}

TEST(RolloutProgress, AProgramIsToldNothing) {
  SurveyProgress progress(nullptr, style(false));
  progress.begin("asked", 1, begin);
  progress.asks("a");
  EXPECT_EQ(progress.show(begin + 100'000), milliseconds(60'000));
  progress.end();
}

}  // namespace
}  // namespace drydock
