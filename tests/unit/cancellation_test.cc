#include "cancellation.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>

namespace drydock {
namespace {

bool readable(const Cancellation& cancellation) {
  pollfd poll{cancellation.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

TEST(Cancellation, CanBePolledOnceRequested) {
  Cancellation cancellation;
  EXPECT_FALSE(cancellation.requested() || readable(cancellation));
  cancellation.request();
  EXPECT_TRUE(cancellation.requested() && readable(cancellation));
}

TEST(Cancellation, OfAPartFollowsThatOfTheWholeAndNotTheOtherWayRound) {
  Cancellation whole;
  Cancellation part(&whole);
  const auto other = std::make_unique<Cancellation>(&whole);
  EXPECT_FALSE(part.requested() || readable(part));
  part.request();
  EXPECT_TRUE(part.requested() && readable(part));
  EXPECT_FALSE(whole.requested() || readable(whole));
  EXPECT_FALSE(other->requested() || readable(*other));
  whole.request();
  EXPECT_TRUE(other->requested() && readable(*other));
}

}  // namespace
}  // namespace drydock
