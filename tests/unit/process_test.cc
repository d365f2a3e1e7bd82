// Processes that outlive those who should have ended them.
#include "process.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "worker_world.h"

namespace drydock {
namespace {

struct Sleeper {
  Spawned child;
  std::uint64_t start_time = 0;
  explicit Sleeper(const std::string& mark = "NONE=") {
    SpawnRequest request;
    request.arguments = {"sleep", "1000"};
    request.environment = with_additions(scrubbed_environment(), {mark});
    child = spawn_child(request);
    start_time = process_start_time(child.pid);
    // For a moment after execve the kernel does not tell the arguments yet.
    const std::string arguments = "/proc/" + std::to_string(child.pid) + "/cmdline";
    while (std::ifstream(arguments).peek() == std::ifstream::traits_type::eof()) ::sched_yield();
  }
  ~Sleeper() {
    ::kill(child.pid, SIGKILL);
    reap_child(child.pid);
  }
  bool lives() const {
    const auto info = read_process(child.pid);
    return info && info->state != 'Z';
  }
};

TEST(Process, IsReadFromProc) {
  const auto self = read_process(::getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->parent, ::getppid());
  EXPECT_EQ(self->group, ::getpgrp());
  EXPECT_EQ(self->session, ::getsid(0));
  EXPECT_EQ(self->command, "worker_test");
  EXPECT_GT(self->start_time, 0u);
  EXPECT_EQ(boot_id().size(), 36u);
  EXPECT_EQ(process_start_time(0x3fffffff), 0u);
}

TEST(Process, AGroupOfADeadRunIsEndedByName) {
  const Sleeper sleeper;
  const auto ended = end_process_group(sleeper.child.pid, sleeper.start_time, boot_id());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].command, "sleep 1000");
  EXPECT_FALSE(sleeper.lives());
}

TEST(Process, AGroupThatIsNotTheJournaledOneIsSpared) {
  const Sleeper sleeper;
  const pid_t group = sleeper.child.pid;
  EXPECT_TRUE(end_process_group(group, sleeper.start_time, "another boot").empty());
  EXPECT_TRUE(end_process_group(group, sleeper.start_time - 1, boot_id()).empty());  // pid reused
  EXPECT_TRUE(end_process_group(group, sleeper.start_time + 1, boot_id()).empty());
  EXPECT_TRUE(end_process_group(::getpgrp(), 1, boot_id()).empty());
  EXPECT_TRUE(end_process_group(0, 0, boot_id()).empty());
  EXPECT_TRUE(sleeper.lives());
}

TEST(Process, WhatLeftTheGroupOfADeadRunIsEndedByItsMark) {
  const std::uint64_t start_time = process_start_time(::getpid());
  constexpr pid_t gone = 0x3fffffff;
  const Sleeper marked(worker_mark(gone, start_time));
  const Sleeper others(worker_mark(gone, start_time + 1));
  EXPECT_TRUE(end_process_group(gone, start_time, "another boot").empty());
  const auto ended = end_process_group(gone, start_time, boot_id());
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].pid, marked.child.pid);
  EXPECT_FALSE(marked.lives());
  EXPECT_TRUE(others.lives());
}

TEST(Process, ExpectedChildrenAreNoOrphans) {
  become_subreaper();
  const Sleeper sleeper;
  EXPECT_TRUE(end_orphans(0x3fffffff, 0).empty());
  EXPECT_TRUE(sleeper.lives());
}

TEST(Process, ASpawnedProcessDiesWithItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    SpawnRequest request;
    request.arguments = {"sleep", "1000"};
    request.environment = scrubbed_environment();
    const Spawned child = spawn(request);
    (void)!::write(ends[1], &child.pid, sizeof child.pid);
    for (;;) ::pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(ends[0], &grandchild, sizeof grandchild),
            static_cast<ssize_t>(sizeof grandchild));
  ::close(ends[0]);
  ::close(ends[1]);
  become_subreaper();  // so that its end can be waited for
  ::kill(middle, SIGKILL);
  ASSERT_EQ(::waitpid(middle, nullptr, 0), middle);
  int status = 0;
  ASSERT_EQ(::waitpid(grandchild, &status, 0), grandchild);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(Process, AProgramThatCannotBeStartedIsNamed) {
  SpawnRequest request;
  request.environment = {"PATH=/usr/bin:/bin"};
  request.arguments = {"no-such-program"};
  EXPECT_NE(spawn(request).refused.find("'no-such-program' is not in PATH"), std::string::npos);
  request.arguments = {"/etc/passwd"};
  EXPECT_EQ(spawn(request).refused, "/etc/passwd: Permission denied");
  request.arguments = {"true"};
  request.directory = "/no/such/folder";
  EXPECT_EQ(spawn(request).refused, "/no/such/folder: No such file or directory");
}

}  // namespace
}  // namespace drydock
