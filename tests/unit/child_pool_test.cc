#include "child_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <map>

#include "cancellation.h"
#include "process.h"

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
  hangs.timeout = std::chrono::seconds(2);  // until it has spoken, on a busy machine too
  pool.start(1, hangs);
  ChildCommand quick{{"/bin/true"}, ""};
  quick.timeout = std::chrono::hours(1);
  pool.start(2, quick);
  const auto said = all_of(pool, 2);
  EXPECT_TRUE(said.at(1).end.timed_out);
  EXPECT_EQ(said.at(1).end.signal, 9);
  EXPECT_TRUE(said.at(1).end.spoke);
  EXPECT_FALSE(said.at(2).end.spoke);
  EXPECT_FALSE(said.at(2).end.timed_out);
  EXPECT_EQ(said.at(2).end.code, 0);
}

// It may end what it has started; and who does not want to end is killed all the same.
TEST(ChildPool, WhatTakesTooLongIsAskedFirst) {
  ChildPool pool;
  ChildCommand obeys{{"/bin/sh", "-c", "trap 'echo asked; exit 3' TERM; sleep 600 & wait"}, ""};
  obeys.timeout = std::chrono::seconds(2);  // until both have set their trap
  obeys.grace = std::chrono::hours(1);
  pool.start(1, obeys);
  ChildCommand refuses{{"/bin/sh", "-c", "trap 'echo never' TERM; while :; do sleep 600; done"},
                       ""};
  refuses.timeout = obeys.timeout;
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
  EXPECT_FALSE(said.at(7).end.for_want);
  EXPECT_NE(said.at(7).end.error.find("/no/such/program"), std::string::npos);
}

// While it lives, as many more files can be opened as `left`.
class FewOpenFiles {
 public:
  explicit FewOpenFiles(int left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    std::vector<Descriptor> room;
    for (int i = 0; i < left; ++i) room.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    rlimit few = before_;
    few.rlim_cur = static_cast<rlim_t>(room.back().get()) + 1;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewOpenFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewOpenFiles(const FewOpenFiles&) = delete;
  FewOpenFiles& operator=(const FewOpenFiles&) = delete;

 private:
  rlimit before_{};
};

// For which flock(1) waits until it is let go.
class HeldLock {
 public:
  HeldLock() : descriptor_(::memfd_create("held", MFD_CLOEXEC)) {
    EXPECT_EQ(::flock(descriptor_.get(), LOCK_EX), 0);
  }
  std::string file() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_.get());
  }
  void let_go() const { ::flock(descriptor_.get(), LOCK_UN); }

 private:
  Descriptor descriptor_;
};

TEST(ChildPool, WaitsForAnotherToEndWhereResourcesAreShort) {
  ChildPool pool;
  const HeldLock held;
  pool.start(1, {"/usr/bin/flock", held.file(), "/bin/echo", "first"});
  {
    // One too few for another child: it has six while it starts, and leaves eight to others.
    const FewOpenFiles few(13);
    pool.start(2, {"/bin/cat"}, "second\n");
    pool.start(3, {"/bin/echo", "third"});
    EXPECT_EQ(pool.running(), 3u);
    EXPECT_TRUE(pool.wait(std::chrono::milliseconds(0), -1).empty());
    held.let_go();
    const auto said = all_of(pool, 3);
    EXPECT_EQ(said.at(1).lines, Lines{"first"});
    EXPECT_EQ(said.at(2).lines, Lines{"second"});
    EXPECT_EQ(said.at(3).lines, Lines{"third"});
    EXPECT_EQ(said.at(2).end.code, 0) << said.at(2).end.error;
    EXPECT_EQ(pool.running(), 0u);
  }
}

// Who ends has nothing begun that waited, also not once there is room.
TEST(ChildPool, WhatWaitsToBeStartedCanBeEnded) {
  ChildPool pool;
  const HeldLock held;
  pool.start(1, {"/usr/bin/flock", held.file(), "/bin/echo", "first"});
  {
    const FewOpenFiles few(13);
    for (const std::size_t tag : {2u, 3u, 4u, 5u}) pool.start(tag, {"/bin/echo", "begun"});
    pool.end(3);
    EXPECT_TRUE(pool.has(1));
    EXPECT_TRUE(pool.has(2));
    EXPECT_FALSE(pool.has(3));
    pool.drop_waiting();
    EXPECT_FALSE(pool.has(2));
    EXPECT_EQ(pool.running(), 5u) << "their ends are still to be told";
  }
  held.let_go();
  const auto said = all_of(pool, 5);
  EXPECT_EQ(said.at(1).lines, Lines{"first"});
  for (const std::size_t tag : {2u, 3u, 4u, 5u}) {
    EXPECT_EQ(said.at(tag).lines, Lines{});
    EXPECT_EQ(said.at(tag).end.code, -1);
    EXPECT_FALSE(said.at(tag).end.for_want);
    EXPECT_EQ(said.at(tag).end.error, "it was ended before it could be started");
  }
  EXPECT_FALSE(pool.has(1));
}

TEST(ChildPool, SaysWhatIsShortWhereNoneRuns) {
  ChildPool pool;
  for (const int left : {1, 2, 5, 13}) {
    const FewOpenFiles few(left);
    pool.start(1, {"/bin/echo", "first"});
    const auto said = all_of(pool, 1);
    EXPECT_EQ(said.at(1).end.code, -1);
    EXPECT_TRUE(said.at(1).end.for_want);
    EXPECT_NE(said.at(1).end.error.find("Too many open files"), std::string::npos);
    EXPECT_NE(said.at(1).end.error.find("ulimit -n"), std::string::npos) << said.at(1).end.error;
  }
}

// Programs that go through all numbers of files are as quick as before.
TEST(ChildPool, ItsChildrenHaveTheLimitOfBefore) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 77;
  ASSERT_LT(low.rlim_cur, low.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  use_all_open_files();
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, before.rlim_max);
  ChildPool pool;
  pool.start(1, {"/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"});
  const auto said = all_of(pool, 1);
  EXPECT_EQ(said.at(1).lines.front(), "77");
  EXPECT_EQ(said.at(1).lines.back(),
            before.rlim_max == RLIM_INFINITY ? "unlimited" : std::to_string(before.rlim_max));
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

// Where we are the first process of a container, orphans of our commands become our children.
TEST(ChildPool, OrphansThatHaveEndedAreReaped) {
  become_subreaper();
  ChildPool pool;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::fcntl(ends[1], F_SETFD, FD_CLOEXEC), 0);
  const std::string held = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(ends[0]);
  pool.start(1, {"/bin/sh", "-c", "read line < \"$0\" & echo $!", held});
  const auto said = all_of(pool, 1);
  const pid_t orphan = std::stoi(said.at(1).lines.at(0));
  ASSERT_EQ(::kill(orphan, 0), 0);
  const Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, orphan, 0)));
  ASSERT_EQ(::write(ends[1], "go\n", 3), 3);
  pollfd ended{pidfd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ended, 1, -1), 1);
  EXPECT_EQ(::kill(orphan, 0), 0) << "until then it is a zombie";
  pool.wait(std::chrono::milliseconds(0), -1);
  EXPECT_NE(::kill(orphan, 0), 0);
  leave_orphans_to_init();
  for (const int end : ends) ::close(end);
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
