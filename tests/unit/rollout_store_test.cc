// The same of both databases: a file of SQLite, and a PostgreSQL server of the test's own.
#include "rollout_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "files.h"
#include "frontend.h"
#include "postgres_server.h"
#include "rollout_standing.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

RolloutRecord some_rollout(const std::string& name, const std::string& token) {
  RolloutRecord rollout;
  rollout.token = token;
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

PostgresServer& server() {
  static PostgresServer process;
  return process;
}

std::string new_database(const std::string& name) {
  open_postgres_database(server().url("postgres"))->run("CREATE DATABASE " + name);
  return server().url(name);
}

class RolloutStoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "sqlite") return;
    if (!PostgresServer::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
    static int databases = 0;
    url_ = new_database("test" + std::to_string(++databases));
  }
  std::unique_ptr<RolloutDatabase> database() const {
    return url_.empty() ? open_sqlite_database(file_) : open_postgres_database(url_);
  }
  std::unique_ptr<RolloutStore> open() const { return std::make_unique<RolloutStore>(database()); }
  // As time goes by.
  void let_leases_run_out() { database()->run("UPDATE rollout_leases SET until = 1"); }

  TemporaryDir folder_;
  std::string file_ = folder_.path() + "/rollouts.db";
  std::string url_;  // "": SQLite
};
INSTANTIATE_TEST_SUITE_P(On, RolloutStoreTest, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& info) { return info.param; });

// What holds a secret is kept by its name alone.
TEST_P(RolloutStoreTest, WhatIsSetApartIsNotKept) {
  RolloutRecord rollout = some_rollout("sample", "one");
  rollout.plan.targets[0].vars = {{"api_token", "correct-horse"}, {"to", "1"}};
  rollout.plan.targets[0].vars_apart = {{"api_token", "12ab"}};
  rollout.plan.notify = ControllerStage{"exec", {"battery-staple"}, {}, true};
  open()->begin(rollout);
  const std::string kept = database()->run("SELECT plan FROM rollouts", {}, 1).at(0).at(0);
  EXPECT_EQ(kept.find("correct-horse"), std::string::npos);
  EXPECT_EQ(kept.find("battery-staple"), std::string::npos);
  const RolloutPlan found = open()->newest("sample")->plan;
  EXPECT_EQ(found.targets[0].vars, (nlohmann::json{{"to", "1"}}));
  EXPECT_EQ(found.targets[0].vars_apart,
            (std::map<std::string, std::string>{{"api_token", "12ab"}}));
  EXPECT_TRUE(found.notify->set_apart);
}

TEST_P(RolloutStoreTest, AnotherProcessFindsWhatWasWritten) {
  const std::int64_t id = open()->begin(some_rollout("sample", "one"));
  {
    const auto store = open();
    TargetRecord target;
    target.state = TargetState::failed;
    target.attempt = 2;
    target.run = 17;
    target.exit_code = 3;
    target.reason = "it's gone: why?";
    target.outputs = {{"pull", {{"digests", R"({"api":"sha256:1"})"}}}};
    store->save_target(id, 1, target);
    WaveRecord wave;
    wave.known.ended = 1'764'133'200'123;
    wave.known.gate_held = wave.known.passed = true;
    store->save_wave(id, 0, wave);
  }
  const auto store = open();
  const auto rollout = store->newest("sample");
  ASSERT_TRUE(rollout);
  EXPECT_EQ(to_json(rollout->plan), to_json(some_rollout("sample", "one").plan));
  EXPECT_EQ(rollout->state, RolloutState::running);
  const auto targets = store->targets(id);
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].state, TargetState::waiting);
  EXPECT_EQ(targets[0].attempt, 1u);
  EXPECT_EQ(targets[1].state, TargetState::failed);
  EXPECT_EQ(targets[1].run, 17u);
  EXPECT_EQ(targets[1].exit_code, 3);
  EXPECT_EQ(targets[1].reason, "it's gone: why?");
  EXPECT_EQ(targets[1].outputs["pull"]["digests"], R"({"api":"sha256:1"})");
  const WaveRecord wave = store->waves(id).at(0);
  EXPECT_EQ(wave.known.ended, 1'764'133'200'123);
  EXPECT_TRUE(wave.known.gate_held && wave.known.passed);
  EXPECT_FALSE(wave.known.approved);
}

// Also codes that no Drydock of today ends with.
TEST(ExitCodeOfARollout, APersonIsNeededUnlessAllIsKnownToBeWell) {
  const std::map<int, int> expected = {{1, 1}, {2, 1}, {130, 1}, {3, 3},
                                       {4, 3}, {5, 3}, {77, 3},  {-1, 3}};
  for (const auto& [code, worst] : expected) {
    TargetRecord failed, done;
    failed.state = TargetState::failed;
    failed.exit_code = code;
    done.state = TargetState::done;
    done.exit_code = 0;
    EXPECT_EQ(static_cast<int>(exit_code_of({done, failed, done}, true)), worst) << code;
  }
}

// Written by two processes: neither takes back what the other has said.
TEST_P(RolloutStoreTest, AnApprovalAndTheSupervisorDoNotMeet) {
  const auto supervisor = open();
  const std::int64_t id = supervisor->begin(some_rollout("sample", "one"));
  const WaveRecord before = supervisor->waves(id).at(0);
  EXPECT_TRUE(open()->approve(id, 0, before, "me@here", "fine"));
  EXPECT_FALSE(open()->approve(id, 0, before, "you@here", "so so")) << "one was quicker";
  supervisor->save_wave(id, 0, before);
  const WaveRecord wave = supervisor->waves(id).at(0);
  EXPECT_TRUE(wave.known.approved);
  EXPECT_EQ(wave.approved_by, "me@here");
  EXPECT_EQ(wave.comment, "fine");
  supervisor->withdraw_approval(id, 0);
  EXPECT_FALSE(supervisor->waves(id).at(0).known.approved);
  EXPECT_EQ(supervisor->waves(id).at(0).approved_by, "");
}

// It was seen before others began the wave again, or gave the rollout up.
TEST_P(RolloutStoreTest, AnApprovalIsOfWhatWasSeen) {
  const auto store = open();
  const std::int64_t id = store->begin(some_rollout("sample", "one"));
  WaveRecord seen;
  seen.known.ended = 17;
  store->save_wave(id, 0, seen);
  WaveRecord now = seen;
  now.known.ended = 18;
  store->save_wave(id, 0, now);
  EXPECT_FALSE(store->approve(id, 0, seen, "me@here", "fine"));
  EXPECT_FALSE(store->waves(id).at(0).known.approved);
  store->finish(id, RolloutState::failed, 1, "given up");
  EXPECT_FALSE(store->approve(id, 0, now, "me@here", "fine"));
  store->reopen(id);
  EXPECT_TRUE(store->approve(id, 0, now, "me@here", "fine"));
  EXPECT_EQ(store->waves(id).at(0).approved_by, "me@here");
}

TEST_P(RolloutStoreTest, TheNewestOfItsName) {
  const auto store = open();
  store->begin(some_rollout("sample", "one"));
  const std::int64_t second = store->begin(some_rollout("sample", "two"));
  store->begin(some_rollout("other", "three"));
  EXPECT_EQ(store->newest("sample")->id, second);
  EXPECT_EQ(store->newest_of_file("/srv/sample.yaml")->id, second);
  EXPECT_FALSE(store->newest("gone"));
  RolloutRecord elsewhere = some_rollout("sample", "four");
  elsewhere.plan.file = "/srv/two.yaml";
  const std::int64_t fourth = store->begin(elsewhere);
  EXPECT_EQ(store->newest("sample")->id, fourth);
  EXPECT_EQ(store->newest("sample", "/srv/sample.yaml")->id, second);
  EXPECT_EQ(store->find(second)->plan.file, "/srv/sample.yaml");
  EXPECT_FALSE(store->find(99));
  store->finish(fourth, RolloutState::failed, 1, "why");
  EXPECT_EQ(store->find(second)->state, RolloutState::running);
  EXPECT_EQ(store->names(), (std::vector<std::string>{"other", "sample"}));
  store->finish(second, RolloutState::failed, 1, "why");
  EXPECT_EQ(store->find(second)->state, RolloutState::failed);
  EXPECT_EQ(store->find(second)->reason, "why");
  store->reopen(second);
  EXPECT_EQ(store->find(second)->state, RolloutState::running);
  EXPECT_EQ(store->find(second)->exit_code, -1);
}

// Whoever comes next finds all that is to be put back, and not a part of it.
TEST_P(RolloutStoreTest, AWayBackBeginsAsAWhole) {
  const auto store = open();
  const std::int64_t id = store->begin(some_rollout("sample", "one"));
  WaveRecord wave;
  wave.known.ended = 17;
  wave.known.passed = wave.known.gate_held = true;
  store->save_wave(id, 0, wave);
  TargetRecord done;
  done.state = TargetState::done;
  done.run = 7;
  store->save_target(id, 1, done);
  store->finish(id, RolloutState::passed, 0, "");
  EXPECT_FALSE(wave_going_back(*store->newest("sample"), store->targets(id)));
  store->begin_way_back(id, 0, {1}, "the wave 'all' is put back by me");
  const auto rollout = open()->newest("sample");
  EXPECT_EQ(rollout->state, RolloutState::running);
  EXPECT_EQ(rollout->exit_code, -1);
  EXPECT_EQ(rollout->reason, "the wave 'all' is put back by me");
  EXPECT_FALSE(store->waves(id)[0].known.passed || store->waves(id)[0].known.gate_held);
  EXPECT_EQ(store->targets(id)[0].state, TargetState::waiting);
  EXPECT_EQ(store->targets(id)[1].state, TargetState::rolling_back);
  EXPECT_EQ(store->targets(id)[1].run, 7u);
  EXPECT_EQ(wave_going_back(*rollout, store->targets(id)), 0u);
  done.state = TargetState::rolled_back;
  store->save_target(id, 1, done);
  EXPECT_EQ(wave_going_back(*rollout, store->targets(id)), 0u) << "its end is not recorded";
  store->finish(id, RolloutState::failed, 1, "the wave 'all' was put back by me");
  EXPECT_FALSE(wave_going_back(*store->newest("sample"), store->targets(id)));
}

// What is put back once more is not what could not be.
TEST_P(RolloutStoreTest, WhatCouldNotBePutBackIsBegunOnceMore) {
  const auto store = open();
  const std::int64_t id = store->begin(some_rollout("sample", "one"));
  TargetRecord target;
  target.state = TargetState::not_put_back;
  target.run = 7;
  target.exit_code = 3;
  store->save_target(id, 1, target);
  store->finish(id, RolloutState::failed, 3, "the wave 'all' was put back by me");
  EXPECT_EQ(wave_going_back(*store->newest("sample"), open()->targets(id)), 0u);
  store->begin_way_back(id, 0, {1}, "the wave 'all' is put back by me");
  EXPECT_EQ(open()->targets(id)[1].state, TargetState::rolling_back);
  EXPECT_EQ(open()->targets(id)[1].exit_code, 0);
}

TEST_P(RolloutStoreTest, TablesOfANewerDrydockAreRefused) {
  open();
  const auto raw = database();
  const auto known = std::stoi(raw->run("SELECT version FROM rollout_schema", {}, 1).at(0).at(0));
  raw->run("UPDATE rollout_schema SET version = " + std::to_string(known + 1));
  EXPECT_THROW(open(), Error);
}

// Whoever does not know whether it has begun may begin again.
TEST_P(RolloutStoreTest, BeginsOnce) {
  const auto store = open();
  const std::int64_t id = store->begin(some_rollout("sample", "one"));
  EXPECT_EQ(store->begin(some_rollout("sample", "one")), id);
  EXPECT_EQ(store->targets(id).size(), 2u);
}

TEST_P(RolloutStoreTest, SeveralBeginAtOnce) {
  constexpr int count = 6;
  std::vector<std::int64_t> ids(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      ids[static_cast<std::size_t>(i)] =
          open()->begin(some_rollout("sample", "token" + std::to_string(i)));
    });
  }
  for (std::thread& each : threads) each.join();
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
}

TEST_P(RolloutStoreTest, OneSupervisorUntilItIsNotHeardOf) {
  const auto first = open(), second = open();
  const std::int64_t id = first->begin(some_rollout("sample", "one"));
  first->take({"sample", "first", "a machine"});
  EXPECT_EQ(second->supervisor_of("sample")->holder, "first");
  const std::string refusal = error_of([&] {
    second->take({"sample", "second", "another machine"});
  });
  EXPECT_NE(refusal.find("carries out the rollout 'sample' (first)"), std::string::npos) << refusal;
  first->renew();
  let_leases_run_out();
  EXPECT_FALSE(second->supervisor_of("sample"));
  first->save_target(id, 0, {});  // late, but nobody else has come
  second->take({"sample", "second", "another machine"});
  second->require_lease();
  TargetRecord failed;
  failed.state = TargetState::failed;
  const std::vector<std::function<void()>> writes = {
      [&] { first->save_target(id, 0, failed); },
      [&] { first->save_wave(id, 0, {}); },
      [&] { first->finish(id, RolloutState::failed, 3, "late"); },
      [&] { first->reopen(id); },
      [&] { first->begin(some_rollout("sample", "late")); },
      [&] {
        first->begin_way_back(id, 0, {0, 1}, "late");
      },
      [&] { first->withdraw_approval(id, 0); },
      [&] { first->renew(); },
      [&] { first->require_lease(); }};
  for (const auto& write : writes) {
    const std::string taken_over = error_of(write);
    EXPECT_NE(taken_over.find("taken over the rollout 'sample' (second)"), std::string::npos)
        << taken_over;
  }
  EXPECT_EQ(second->targets(id)[0].state, TargetState::waiting);
  EXPECT_EQ(second->newest("sample")->state, RolloutState::running);
  second->save_target(id, 0, failed);
  second->give_up();
  EXPECT_FALSE(first->supervisor_of("sample"));
}

// The lock of the machine has told that the one before is dead.
TEST_P(RolloutStoreTest, TheSamePlaceNeedNotWait) {
  const auto first = open(), second = open();
  first->take({"sample", "first", "a machine"});
  second->take({"sample", "second", "a machine"});
  EXPECT_EQ(first->supervisor_of("sample")->holder, "second");
  EXPECT_NE(error_of([&] { first->require_lease(); }), "");
}

TEST_P(RolloutStoreTest, RunsAndEnvironments) {
  const auto store = open();
  RunSummary run;
  run.place = "here:/srv";
  run.environment = "a";
  run.run = 3;
  run.rollout = "sample";
  run.pipeline = "app";
  run.version = "1.2";
  run.started = "2026-11-26T05:00:00.000Z";
  run.state = "done";
  run.exit_code = 0;
  run.duration_ms = 1500;
  store->save_runs({run});
  RunSummary by_hand = run, other = run;
  by_hand.rollout.clear();  // as its journal tells of it, which knows nothing of rollouts
  by_hand.version.clear();
  by_hand.duration_ms = 7000;  // to the end of a rollback of it
  other.run = 4;
  other.environment = "b";
  other.started = "2026-11-27T05:00:00.000Z";
  store->save_runs({by_hand, other});
  const auto runs = store->runs("", "");
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].run, 4u) << "the newest first";
  EXPECT_EQ(runs[1].rollout, "sample");
  EXPECT_EQ(runs[1].version, "1.2");
  EXPECT_EQ(runs[1].duration_ms, 1500);
  EXPECT_EQ(store->runs("a", "").size(), 1u);
  EXPECT_EQ(store->runs("", "2026-11-27T00:00:00.000Z").size(), 1u);
  store->set_run_state("here:/srv", 3, "rolled_back", 1);
  EXPECT_EQ(store->runs("a", "")[0].state, "rolled_back");

  EXPECT_FALSE(store->environment("here:/srv"));
  store->save_environment({"here:/srv", "a", "sample", "1.2", 3, {{"api", "app:1.2"}}});
  store->save_environment({"here:/srv", "a", "sample", "1.3", 5, {{"api", "app:1.3"}}});
  EXPECT_EQ(store->environment("here:/srv")->run, 5u);
  EXPECT_EQ(store->environment("here:/srv")->images["api"], "app:1.3");
  store->forget_environment("here:/srv");
  EXPECT_FALSE(store->environment("here:/srv"));
}

TEST_P(RolloutStoreTest, DashboardsOnlyRead) {
  const auto store = open();
  const std::int64_t id = store->begin(some_rollout("sample", "one"));
  TargetRecord done;
  done.state = TargetState::done;
  done.exit_code = 0;
  done.run = 7;
  store->save_target(id, 0, done);
  store->approve(id, 0, store->waves(id).at(0), "me@here", "fine");
  const auto reader = database();
  EXPECT_EQ(
      reader->run("SELECT name, state, environments, done, failed FROM drydock_rollouts", {}, 5),
      (std::vector<RolloutDatabase::Row>{{"sample", "running", "2", "1", "0"}}));
  EXPECT_EQ(
      reader->run("SELECT wave, environment, state, run FROM drydock_environments ORDER BY "
                  "environment",
                  {}, 4),
      (std::vector<RolloutDatabase::Row>{{"all", "a", "done", "7"}, {"all", "b", "waiting", ""}}));
  EXPECT_EQ(reader->run("SELECT wave, approved_by, comment FROM drydock_approvals", {}, 3),
            (std::vector<RolloutDatabase::Row>{{"all", "me@here", "fine"}}));
  for (const char* view : {"rollouts", "environments", "approvals", "runs"}) {
    EXPECT_THROW(reader->run("DELETE FROM drydock_" + std::string(view)), DatabaseFailure) << view;
  }
}

TEST(RolloutStore, IsPrivateAndRefusesWhatItCannotRead) {
  TemporaryDir folder;
  const std::string file = folder.path() + "/rollouts.db";
  RolloutStore(file).begin(some_rollout("sample", "one"));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string other = folder.path() + "/other.db";
  write_file_atomically(other, std::string(5000, 'x'));
  EXPECT_NE(error_of([&] { RolloutStore store(other); }).find("cannot be opened"),
            std::string::npos);
}

TEST(RolloutStore, AServerThatRestartsIsWaitedFor) {
  if (!PostgresServer::installed()) GTEST_SKIP() << "PostgreSQL is not installed";
  RolloutStore store(open_postgres_database(new_database("restarted")));
  const std::int64_t id = store.begin(some_rollout("sample", "one"));
  store.take({"sample", "first", "a machine"});
  server().stop();
  TargetRecord running;
  running.state = TargetState::running;
  const std::string refusal = error_of([&] { store.save_target(id, 0, running); });
  EXPECT_NE(refusal.find("check the server"), std::string::npos) << refusal;
  EXPECT_EQ(refusal.find(PostgresServer::password), std::string::npos) << refusal;
  int asked = 0;
  store.set_patience([&](const std::string&) {
    if (++asked == 3) server().start();
    return true;
  });
  store.save_target(id, 0, running);
  EXPECT_GE(asked, 3);
  EXPECT_EQ(store.targets(id)[0].state, TargetState::running);
}

}  // namespace
}  // namespace drydock
