#include "state_dir.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "error.h"
#include "files.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

TEST(StateDir, IsPrivateAndKeptOutOfTheOperatorsRepository) {
  const TemporaryDir dir;
  const StateDir state(dir.path() + "/.drydock");
  EXPECT_FALSE(state.exists());
  state.create();
  state.create();
  struct stat status {};
  ASSERT_EQ(::stat(state.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_EQ(read_file(state.path() + "/.gitignore", 10), "*\n");
  EXPECT_EQ(read_file(state.path() + "/key", 100).size(), 32u);
}

TEST(StateDir, FingerprintsDependOnTheDeploymentsKey) {
  const TemporaryDir one, two;
  const StateDir a(one.path()), b(two.path());
  a.create();
  b.create();
  EXPECT_EQ(a.fingerprint("x").rfind("hmac:", 0), 0u);
  EXPECT_TRUE(is_fingerprint(a.fingerprint("x")));
  EXPECT_FALSE(is_fingerprint("x"));
  EXPECT_EQ(a.fingerprint("x"), StateDir(one.path()).fingerprint("x"));
  EXPECT_NE(a.fingerprint("x"), b.fingerprint("x"));
  EXPECT_NE(a.fingerprint("x"), a.fingerprint("y"));
}

TEST(StateDir, TheNewestSnapshotIsTheHighestNumber) {
  const TemporaryDir dir;
  const StateDir state(dir.path());
  EXPECT_EQ(state.newest_snapshot(), "");
  for (const char* name : {"0", "9", "10", "11.new", "notes"})
    make_private_dir(state.snapshots() + "/" + name);
  EXPECT_EQ(state.newest_snapshot(), state.snapshots() + "/10");
}

TEST(DeploymentLock, ASecondHolderIsToldWhoHoldsIt) {
  const TemporaryDir dir;
  const StateDir state(dir.path());
  EXPECT_FALSE(DeploymentLock::held(state));
  {
    const DeploymentLock lock(state);
    ASSERT_TRUE(DeploymentLock::held(state));
    EXPECT_EQ(DeploymentLock::held(state)->pid, ::getpid());
    try {
      const DeploymentLock second(state);
      FAIL() << "two locks were given";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::busy);
      EXPECT_NE(std::string(e.what()).find(std::to_string(::getpid())), std::string::npos);
    }
  }
  EXPECT_FALSE(DeploymentLock::held(state));
}

TEST(DeploymentLock, WaitsUntilTheHolderIsDone) {
  const TemporaryDir dir;
  const StateDir state(dir.path());
  std::optional<DeploymentLock> first;
  first.emplace(state);
  DeploymentLock::Patience patience;
  patience.wait = std::chrono::hours(1);
  patience.on_wait = [&](const DeploymentLock::Holder& holder) {
    EXPECT_EQ(holder.pid, ::getpid());
    first.reset();
  };
  const DeploymentLock second(state, patience);
  EXPECT_FALSE(first);
}

TEST(DeploymentLock, ACancelEndsTheWait) {
  const TemporaryDir dir;
  const StateDir state(dir.path());
  const DeploymentLock first(state);
  Cancellation cancellation;
  DeploymentLock::Patience patience;
  patience.wait = std::chrono::hours(1);
  patience.cancellation = &cancellation;
  patience.on_wait = [&](const DeploymentLock::Holder&) { cancellation.request(); };
  try {
    const DeploymentLock second(state, patience);
    FAIL() << "two locks were given";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::cancelled);
  }
}

TEST(DeploymentLock, EndsWithTheProcessThatHeldIt) {
  const TemporaryDir dir;
  const StateDir state(dir.path());
  const pid_t child = ::fork();
  if (child == 0) {
    const DeploymentLock lock(state);
    ::_exit(DeploymentLock::held(state) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const DeploymentLock lock(state);
}

TEST(TemporaryDir, IsGoneWhenItsProcessEndsAndAtTheNextStartWhenThatWasKilled) {
  std::string used;
  {
    const TemporaryDir dir;
    used = dir.path();
    make_private_dir(used + "/planned");
    TemporaryDir::remove_abandoned();
    EXPECT_TRUE(std::filesystem::exists(used)) << "one in use was removed";
  }
  EXPECT_FALSE(std::filesystem::exists(used));

  std::array<int, 2> path{};
  ASSERT_EQ(::pipe(path.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const TemporaryDir dir;
    if (::write(path[1], dir.path().data(), dir.path().size()) < 0) ::_exit(1);
    ::raise(SIGKILL);
  }
  ::close(path[1]);
  std::array<char, 256> name{};
  const ssize_t size = ::read(path[0], name.data(), name.size());
  ::close(path[0]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ASSERT_GT(size, 0);
  const std::string abandoned(name.data(), static_cast<std::size_t>(size));
  EXPECT_TRUE(std::filesystem::exists(abandoned));
  TemporaryDir::remove_abandoned();
  EXPECT_FALSE(std::filesystem::exists(abandoned));
}

TEST(TemporaryDir, IsNotTakenForAbandonedWhileItIsMade) {
  const TemporaryDir dir;
  ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", dir.path().c_str(), 1), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    for (;;) TemporaryDir::remove_abandoned();
  }
  int lost = 0;
  for (int i = 0; i < 2000; ++i) {
    const TemporaryDir made;
    lost += std::filesystem::exists(made.path() + "/.drydock-lock") ? 0 : 1;
  }
  ::kill(other, SIGKILL);
  ASSERT_EQ(::waitpid(other, nullptr, 0), other);
  ASSERT_EQ(::unsetenv("XDG_RUNTIME_DIR"), 0);
  EXPECT_EQ(lost, 0);
}

TEST(Files, AnAtomicWriteLeavesNothingBesideIt) {
  const TemporaryDir dir;
  const std::string folder = dir.path() + "/folder", path = folder + "/file";
  make_private_dir(folder);
  write_file_atomically(path, "one");
  write_file_atomically(path, "two");
  EXPECT_EQ(read_file(path, 10), "two");
  const auto entries = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  EXPECT_THROW(read_file(path, 2), Error);
  EXPECT_THROW(read_file(dir.path(), 100), Error);
  EXPECT_THROW(read_file(dir.path() + "/none", 100), Error);
  EXPECT_THROW(write_file_atomically(dir.path() + "/none/file", "x"), Error);
}

}  // namespace
}  // namespace drydock
