#include "rollout_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "files.h"
#include "frontend.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

RolloutRecord some_rollout(const std::string& name) {
  RolloutRecord rollout;
  rollout.token = "abc";
  rollout.plan.name = name;
  rollout.plan.file = "/srv/" + name + ".yaml";
  for (const char* target : {"a", "b"}) {
    RolloutTarget to;
    to.name = target;
    to.dir = "/srv";
    rollout.plan.targets.push_back(to);
  }
  RolloutWave wave;
  wave.name = "all";
  wave.count = 2;
  wave.approve = true;
  rollout.plan.waves.push_back(wave);
  rollout.user = "me";
  rollout.host = "here";
  rollout.started = "2026-11-26T05:00:00.000Z";
  return rollout;
}

class RolloutStoreTest : public ::testing::Test {
 protected:
  TemporaryDir folder_;
  std::string file_ = folder_.path() + "/rollouts.db";
};

TEST_F(RolloutStoreTest, AnotherProcessFindsWhatWasWritten) {
  const std::int64_t id = RolloutStore(file_).begin(some_rollout("sample"));
  {
    RolloutStore store(file_);
    TargetRecord target;
    target.state = TargetState::failed;
    target.attempt = 2;
    target.run = 17;
    target.exit_code = 3;
    target.reason = "it's gone";
    store.save_target(id, 1, target);
    WaveRecord wave;
    wave.known.ended = 1'764'133'200'123;
    wave.known.gate_held = wave.passed = true;
    store.save_wave(id, 0, wave);
  }
  RolloutStore store(file_);
  const auto rollout = store.newest("sample");
  ASSERT_TRUE(rollout);
  EXPECT_EQ(to_json(rollout->plan), to_json(some_rollout("sample").plan));
  EXPECT_EQ(rollout->state, RolloutState::running);
  const auto targets = store.targets(id);
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].state, TargetState::waiting);
  EXPECT_EQ(targets[0].attempt, 1u);
  EXPECT_EQ(targets[1].state, TargetState::failed);
  EXPECT_EQ(targets[1].run, 17u);
  EXPECT_EQ(targets[1].reason, "it's gone");
  const WaveRecord wave = store.waves(id).at(0);
  EXPECT_EQ(wave.known.ended, 1'764'133'200'123);
  EXPECT_TRUE(wave.known.gate_held && wave.passed);
  EXPECT_FALSE(wave.known.approved);
}

// Written by two processes: neither takes back what the other has said.
TEST_F(RolloutStoreTest, AnApprovalAndTheSupervisorDoNotMeet) {
  RolloutStore supervisor(file_);
  const std::int64_t id = supervisor.begin(some_rollout("sample"));
  const WaveRecord before = supervisor.waves(id).at(0);
  RolloutStore(file_).approve(id, 0, "me@here", "fine");
  supervisor.save_wave(id, 0, before);
  const WaveRecord wave = supervisor.waves(id).at(0);
  EXPECT_TRUE(wave.known.approved);
  EXPECT_EQ(wave.approved_by, "me@here");
  EXPECT_EQ(wave.comment, "fine");
}

TEST_F(RolloutStoreTest, TheNewestOfItsName) {
  RolloutStore store(file_);
  store.begin(some_rollout("sample"));
  const std::int64_t second = store.begin(some_rollout("sample"));
  store.begin(some_rollout("other"));
  EXPECT_EQ(store.newest("sample")->id, second);
  EXPECT_EQ(store.newest_of_file("/srv/sample.yaml")->id, second);
  EXPECT_FALSE(store.newest("gone"));
  EXPECT_EQ(store.names(), (std::vector<std::string>{"other", "sample"}));
  store.finish(second, RolloutState::failed, 1, "why");
  EXPECT_EQ(store.newest("sample")->state, RolloutState::failed);
  EXPECT_EQ(store.newest("sample")->reason, "why");
  store.reopen(second);
  EXPECT_EQ(store.newest("sample")->state, RolloutState::running);
  EXPECT_EQ(store.newest("sample")->exit_code, -1);
}

TEST_F(RolloutStoreTest, IsPrivateAndRefusesWhatItCannotRead) {
  RolloutStore(file_).begin(some_rollout("sample"));
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string other = folder_.path() + "/other.db";
  write_file_atomically(other, std::string(5000, 'x'));
  EXPECT_NE(error_of([&] { RolloutStore store(other); }).find("failed to be opened"),
            std::string::npos);
}

}  // namespace
}  // namespace drydock
