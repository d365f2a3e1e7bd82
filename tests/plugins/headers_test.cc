// The public headers, compiled as every language that they promise: sdk.cmake compiles this file as
// C++17 and as C++20, and c_stage.c as C99, all with warnings as errors.
#include <gtest/gtest.h>

#include <drydock/stage.hpp>
#include <drydock/testing.hpp>

namespace {

using drydock::testing::FakeHost;

TEST(Headers, AStageWrittenInCIsPerformed) {
  const drydock_plugin* plugin = drydock_plugin_v1();
  ASSERT_EQ(plugin->stage_count, 1u);
  FakeHost host;
  EXPECT_EQ(host.perform(*plugin->stages[0], "plan").failure, "no greeting");
  host.option("/greeting", "hello");
  EXPECT_TRUE(host.perform(*plugin->stages[0], "plan").ok());
  EXPECT_EQ(host.changes.at(0).after, "hello");
  EXPECT_TRUE(host.perform(*plugin->stages[0], "run").ok());
  EXPECT_EQ(host.note("greeting"), "absent");
}

}  // namespace
