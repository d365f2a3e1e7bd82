#include "capture_command.h"

#include <gtest/gtest.h>

#include "cancellation.h"

namespace drydock {
namespace {

TEST(CaptureCommand, KeepsBothStreamsAndTheCode) {
  const auto result = capture_command({.arguments = {"sh", "-c", "echo $A; echo no >&2; exit 3"},
                                       .environment = {"A=b c", "PATH=/usr/bin:/bin"}});
  EXPECT_EQ(result.out, "b c\n");
  EXPECT_EQ(result.err, "no\n");
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.describe(), "exit code 3: no");
}

TEST(CaptureCommand, IsBounded) {
  auto result = capture_command({.arguments = {"yes"}, .limit = 1000});
  EXPECT_TRUE(result.cut && !result.ok());
  EXPECT_EQ(result.out.size(), 1000u);
  result =
      capture_command({.arguments = {"sleep", "1000"}, .timeout = std::chrono::milliseconds(50)});
  EXPECT_TRUE(result.timed_out && !result.ok());
}

TEST(CaptureCommand, IsCancelled) {
  Cancellation cancellation;
  cancellation.request();
  const auto result =
      capture_command({.arguments = {"sleep", "1000"}, .cancel_fd = cancellation.fd()});
  EXPECT_TRUE(result.cancelled && !result.ok());
  EXPECT_TRUE(cancellation.requested());
}

TEST(CaptureCommand, DoesNotWaitForADaemon) {
  const auto result = capture_command({.arguments = {"sh", "-c", "sleep 1000 & echo done"}});
  EXPECT_EQ(result.out, "done\n");
  EXPECT_TRUE(result.ok());
}

TEST(CaptureCommand, SaysWhyItDidNotStart) {
  const auto result = capture_command({.arguments = {"no-such-program"}});
  EXPECT_NE(result.describe().find("'no-such-program' is not in PATH"), std::string::npos);
}

}  // namespace
}  // namespace drydock
