#include "child_pool.h"

#include <gtest/gtest.h>

#include <map>

#include "cancellation.h"

namespace drydock {
namespace {

struct Said {
  std::vector<std::string> lines;
  ChildEvent end;
};

std::map<std::size_t, Said> all_of(ChildPool& pool, std::size_t expected) {
  std::map<std::size_t, Said> result;
  for (std::size_t ended = 0; ended < expected;) {
    for (const ChildEvent& event : pool.wait(std::chrono::seconds(60), -1)) {
      if (event.ended) {
        result[event.tag].end = event;
        ++ended;
      } else {
        EXPECT_FALSE(result[event.tag].end.ended) << "a line after its end";
        result[event.tag].lines.push_back(event.text);
      }
    }
  }
  return result;
}

using Lines = std::vector<std::string>;

TEST(ChildPool, ManyAtOnceEachWithItsInputLinesAndEnd) {
  ChildPool pool;
  for (std::size_t i = 0; i < 40; ++i) {
    pool.start(
        i,
        {"/bin/sh", "-c", "cat; echo; echo last of $0; echo why >&2; exit $0", std::to_string(i)},
        "given " + std::to_string(i));
  }
  const auto said = all_of(pool, 40);
  EXPECT_EQ(pool.running(), 0u);
  for (const auto& [tag, each] : said) {
    const std::string number = std::to_string(tag);
    EXPECT_EQ(each.lines, (Lines{"given " + number, "last of " + number}));
    EXPECT_EQ(each.end.code, static_cast<int>(tag));
    EXPECT_EQ(each.end.error, "why\n");
  }
}

// Its own children too: they would hold the pipes.
TEST(ChildPool, WhatTakesTooLongIsKilled) {
  ChildPool pool;
  ChildCommand hangs{{"/bin/sh", "-c", "echo begun; sleep 600 & wait"}, ""};
  hangs.timeout = std::chrono::milliseconds(50);
  pool.start(1, hangs);
  ChildCommand quick{{"/bin/true"}, ""};
  quick.timeout = std::chrono::hours(1);
  pool.start(2, quick);
  const auto said = all_of(pool, 2);
  EXPECT_TRUE(said.at(1).end.timed_out);
  EXPECT_EQ(said.at(1).end.signal, 9);
  EXPECT_FALSE(said.at(2).end.timed_out);
  EXPECT_EQ(said.at(2).end.code, 0);
}

// It may end what it has started; and who does not want to end is killed all the same.
TEST(ChildPool, WhatTakesTooLongIsAskedFirst) {
  ChildPool pool;
  ChildCommand obeys{{"/bin/sh", "-c", "trap 'echo asked; exit 3' TERM; sleep 600 & wait"}, ""};
  obeys.timeout = std::chrono::milliseconds(500);
  obeys.grace = std::chrono::hours(1);
  pool.start(1, obeys);
  ChildCommand refuses{{"/bin/sh", "-c", "trap 'echo never' TERM; while :; do sleep 600; done"}, ""};
  refuses.timeout = std::chrono::milliseconds(50);
  refuses.grace = std::chrono::milliseconds(50);
  pool.start(2, refuses);
  const auto said = all_of(pool, 2);
  EXPECT_TRUE(said.at(1).end.timed_out);
  EXPECT_EQ(said.at(1).lines, (Lines{"asked"}));
  EXPECT_EQ(said.at(1).end.code, 3);
  EXPECT_EQ(said.at(2).end.signal, 9);
}

TEST(ChildPool, OneThatIsEndedEarlier) {
  ChildPool pool;
  ChildCommand hangs{{"/bin/sleep", "600"}, ""};
  hangs.grace = std::chrono::hours(1);
  pool.start(1, hangs);
  pool.start(2, {"/bin/true"});
  pool.end(1);
  pool.end(3);  // nobody
  const auto said = all_of(pool, 2);
  EXPECT_EQ(said.at(1).end.signal, 15);
  EXPECT_FALSE(said.at(1).end.timed_out);
  EXPECT_EQ(said.at(2).end.code, 0);
}

// More than is read at once: the rest comes with the next looks.
TEST(ChildPool, OneThatPrintsMuchHasItsEndAfterAllOfIt) {
  ChildPool pool;
  pool.start(1, {"/bin/sh", "-c", "yes 0123456789 | head -n 300000; echo last"});
  const auto said = all_of(pool, 1);
  ASSERT_EQ(said.at(1).lines.size(), 300'001u);
  EXPECT_EQ(said.at(1).lines.back(), "last");
}

TEST(ChildPool, WhatCannotBeStartedEnds) {
  ChildPool pool;
  pool.start(7, {"/no/such/program"});
  const auto said = all_of(pool, 1);
  EXPECT_EQ(said.at(7).end.code, -1);
  EXPECT_NE(said.at(7).end.error.find("/no/such/program"), std::string::npos);
}

TEST(ChildPool, ASignalIsNoExitCode) {
  ChildPool pool;
  pool.start(1, {"/bin/sh", "-c", "echo begun; kill -9 $$"});
  const auto said = all_of(pool, 1);
  EXPECT_EQ(said.at(1).lines, (Lines{"begun"}));
  EXPECT_EQ(said.at(1).end.code, -1);
  EXPECT_EQ(said.at(1).end.signal, 9);
}

// More than a pipe holds, and a last line without its end.
TEST(ChildPool, ALongOutputIsWhole) {
  ChildPool pool;
  pool.start(1, {"/bin/sh", "-c",
                 "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); "
                 "done; printf end"});
  const auto said = all_of(pool, 1);
  ASSERT_EQ(said.at(1).lines.size(), 20001u);
  EXPECT_EQ(said.at(1).lines.back(), "end");
}

TEST(ChildPool, ACancelWakesIt) {
  ChildPool pool;
  pool.start(1, {"/bin/sleep", "1000"});
  Cancellation cancellation;
  cancellation.request();
  EXPECT_TRUE(pool.wait(std::chrono::milliseconds(-1), cancellation.fd()).empty());
  EXPECT_EQ(pool.running(), 1u) << "it is ended with the pool";
}

}  // namespace
}  // namespace drydock
