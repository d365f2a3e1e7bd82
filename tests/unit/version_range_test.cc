// Which versions a pin accepts, and the order that its bounds mean.
#include "version_range.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace drydock {
namespace {

bool contains(const std::string& range, const std::string& version) {
  const auto parsed = VersionRange::parse(range);
  EXPECT_TRUE(parsed) << range;
  return parsed && parsed->contains(version);
}

TEST(VersionRange, BoundsMustAllHold) {
  EXPECT_TRUE(contains(">=1.2 <2", "1.2"));
  EXPECT_TRUE(contains(">=1.2, <2", "1.10.3"));
  EXPECT_FALSE(contains(">=1.2 <2", "1.1.9"));
  EXPECT_FALSE(contains(">=1.2 <2", "2.0.0"));
  EXPECT_TRUE(contains(">1.2", "1.2.1"));
  EXPECT_FALSE(contains(">1.2", "1.2.0"));
  EXPECT_TRUE(contains("<=1.2", "1.2.0"));
  EXPECT_TRUE(contains("=1.2", "1.2.0"));
  EXPECT_FALSE(contains(">=2", "2.0-rc1"));
}

TEST(VersionRange, AVersionAloneIsThatText) {
  EXPECT_TRUE(contains("1.2.0", "1.2.0"));
  EXPECT_FALSE(contains("1.2", "1.2.0"));
  EXPECT_TRUE(contains("2024a", "2024a"));
}

TEST(VersionRange, RefusesWhatIsNone) {
  for (const char* text : {"", "  ", ",", ">=", "<>1", "=>1", "latest", "1.0 2.0", "1.0 <2",
                           ">= 1.2", "^1.2", "1.2<3"}) {
    EXPECT_FALSE(VersionRange::parse(text)) << text;
  }
}

TEST(CompareVersions, InTheirOrder) {
  const std::vector<std::string> ordered = {
      "0",     "0.9", "1.0-alpha", "1.0-alpha.1", "1.0-rc.2", "1.0-rc.10", "1.0",
      "1.0.1", "1.2", "1.10",      "1.10.x",      "2.0-rc1",  "2",         "10.0"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      const int compared = compare_versions(ordered[i], ordered[j]);
      EXPECT_EQ(compared < 0, i < j) << ordered[i] << " " << ordered[j];
      EXPECT_EQ(compared > 0, i > j) << ordered[i] << " " << ordered[j];
    }
  }
  EXPECT_EQ(compare_versions("1.2", "1.2.0"), 0);
  EXPECT_EQ(compare_versions("01.002", "1.2"), 0);
  EXPECT_EQ(compare_versions("1.2+build5", "1.2+build7"), 0);
  EXPECT_LT(compare_versions("1.99999999999999999998", "1.99999999999999999999"), 0);
}

RC_GTEST_PROP(CompareVersions, IsAnOrder, ()) {
  const auto part = rc::gen::element<std::string>("0", "1", "2", "10", "007", "a", "rc1");
  const auto version =
      rc::gen::map(rc::gen::tuple(part, part, part, rc::gen::element<std::string>(".", "-", "+")),
                   [](const auto& parts) {
                     return std::get<0>(parts) + "." + std::get<1>(parts) + std::get<3>(parts) +
                            std::get<2>(parts);
                   });
  const auto [a, b, c] = *rc::gen::tuple(version, version, version);
  const auto sign = [](int value) { return (value > 0) - (value < 0); };
  RC_ASSERT(compare_versions(a, a) == 0);
  RC_ASSERT(sign(compare_versions(a, b)) == -sign(compare_versions(b, a)));
  if (compare_versions(a, b) <= 0 && compare_versions(b, c) <= 0) {
    RC_ASSERT(compare_versions(a, c) <= 0);
  }
}

}  // namespace
}  // namespace drydock
