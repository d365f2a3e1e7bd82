#include "text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drydock {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreReadInUnitsThatFollowOneAnother) {
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("100ms"), 100ms);
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"), 26h + 3min + 4s + 5ms);
}

TEST(Durations, OfAnotherFormAreRefused) {
  for (const char* text : {"", "30", "s", "1x", "1s1m", "1m1m", "-1s", " 1s", "1 s", "1.5s",
                           "99999999999999999999s", "9999999d", "1s\n"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

RC_GTEST_PROP(Durations, RoundTrip, ()) {
  const auto total = *rc::gen::inRange<std::int64_t>(0, 36'000LL * 86'400'000);
  std::string text;
  std::int64_t rest = total;
  for (const auto& [name, unit] : {std::pair{"d", 86'400'000LL},
                                   {"h", 3'600'000LL},
                                   {"m", 60'000LL},
                                   {"s", 1000LL},
                                   {"ms", 1LL}}) {
    if (rest >= unit || (unit == 1 && text.empty())) text += std::to_string(rest / unit) + name;
    rest %= unit;
  }
  RC_ASSERT(parse_duration(text) == std::chrono::milliseconds(total));
}

TEST(Durations, AreShownAsPeopleSayThem) {
  EXPECT_EQ(format_duration(300ms), "0.3 s");
  EXPECT_EQ(format_duration(9960ms), "10 s");
  EXPECT_EQ(format_duration(12s), "12 s");
  EXPECT_EQ(format_duration(90s), "1 min 30 s");
  EXPECT_EQ(format_duration(59999ms), "1 min 00 s");
  EXPECT_EQ(format_duration(2h + 5min), "2 h 05 min");
}

TEST(Numbers, AreDigitsAndNothingElse) {
  EXPECT_EQ(parse_number("7"), 7u);
  EXPECT_EQ(parse_number("999999999"), 999'999'999u);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1000000000"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(Texts, AreSplitBetweenSeparators) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_TRUE(split("", ',').empty());
}

TEST(Sizes, AreReadInBothKindsOfUnits) {
  EXPECT_EQ(parse_size("64MiB"), 64 << 20);
  EXPECT_EQ(parse_size("1.5GB"), 1'500'000'000);
  EXPECT_EQ(parse_size("512k"), 512'000);
  EXPECT_EQ(parse_size("94 MB"), 94'000'000);
  EXPECT_EQ(parse_size("12"), 12);
  for (const char* text : {"", "MB", "1.5", "-1", "1XB", "99999999999T", "1..5k"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
  EXPECT_EQ(format_size(512), "512 B");
  EXPECT_EQ(format_size(94'100'000), "94 MB");
  EXPECT_EQ(format_size(1'500'000'000), "1.5 GB");
  EXPECT_EQ(format_size(999'999), "1.0 MB");
  EXPECT_EQ(format_memory(64 << 20), "64 MiB");
  EXPECT_EQ(format_memory(512'000'000), "512 MB");
}

TEST(NearestName, IsASlipOfTheKeyboardAndNothingElse) {
  const std::vector<std::string> names = {"uses", "with", "when", "timeout", "env-sync"};
  EXPECT_EQ(nearest_name("use", names), "uses");
  EXPECT_EQ(nearest_name("tiemout", names), "timeout");
  EXPECT_EQ(nearest_name("ENV_SYNC", names), "env-sync");
  EXPECT_EQ(nearest_name("banana", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(1 << 20, 'x'), names), std::nullopt);
  EXPECT_EQ(did_you_mean("wiht", names), "; did you mean 'with'?");
}

TEST(ShellWord, IsOneWordOfAShell) {
  EXPECT_EQ(shell_word("/srv/app-1"), "/srv/app-1");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  // What could not be copied as it is stands as a code; a digit after it is not part of it.
  EXPECT_EQ(shell_word("a\nb'\\\x1b"
                       "7"),
            "$'a\\012b\\047\\134\\0337'");
}

TEST(MakeVisible, ShowsWhatWouldMoveTheCursorOrDeceive) {
  EXPECT_EQ(make_visible("a\tb \x1b[31m\r\n\x7f"), "a\tb \\x1b[31m\\r\\n\\x7f");
  EXPECT_EQ(make_visible("größe\xff"), "größe\\xff");
  EXPECT_EQ(make_visible("\xC2\x9B"
                         "31m"),
            "\\x9b31m");                                   // CSI in one character
  EXPECT_EQ(make_visible("a\xE2\x80\xAEz"), "a\\u202ez");  // right-to-left override
  EXPECT_EQ(make_visible("\xC0\xAF\xED\xA0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");  // overlong
}

RC_GTEST_PROP(MakeVisible, GivesUtf8WithoutControlsForAnyBytes, (const std::string& bytes)) {
  const std::string visible = make_visible(bytes);
  RC_ASSERT(is_utf8(visible));
  for (char c : visible) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 || c == '\t');
}

TEST(Shorten, CutsAtCharacters) {
  EXPECT_EQ(shorten("größer", 6), "größer");
  EXPECT_EQ(shorten("größer", 5), "größ…");
  EXPECT_EQ(shorten("abc", 1), "…");
  EXPECT_EQ(shorten("abc", 0), "");
}

RC_GTEST_PROP(Shorten, NeverIsWiderThanAsked, (const std::string& bytes)) {
  const auto width = *rc::gen::inRange<std::size_t>(0, 20);
  RC_ASSERT(display_width(shorten(bytes, width)) <= width);
}

}  // namespace
}  // namespace drydock
