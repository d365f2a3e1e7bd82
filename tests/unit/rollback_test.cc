#include "rollback.h"

#include <gtest/gtest.h>

#include "fake_worker.h"
#include "planner.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

using nlohmann::json;

// Three stages that were run, one that was not, and a `finally` stage.
class RollbackTest : public ::testing::Test {
 protected:
  RollbackTest() : journal_((state_.create(), state_.journal())), events_(masker_) {
    RunRecord run;
    run.vars = json::object();
    run.secret_sources = json::object();
    run.deployment = json::object();
    std::vector<StageRecord> stages;
    for (const char* key : {"files", "stop", "migrate", "never", "tell"}) {
      StageRecord stage;
      stage.position = static_cast<int>(stages.size());
      stage.key = key;
      stage.uses = key;
      stage.options = json::object();
      stage.secret_texts = json::object();
      stage.steps = {Step::observe, Step::run, Step::rollback, Step::settle};
      stage.final = stage.key == "tell";
      if (stage.key == "migrate") stage.memory_limit = 64 << 20;
      stages.push_back(stage);
    }
    run_ = journal_.create_run(run, stages);
    for (int position : {0, 1, 2, 4}) {
      journal_.begin_step(run_, position, Step::run, 1, {});
      journal_.end_step(run_, position, StageState::done, "", {}, {});
    }
    journal_.save_facts(run_, 0, Moment::before,
                        {{"file .env", "aaa", true, false}, {"rows", "1", false, false}});
  }

  RollbackReport roll_back(bool limited = true) {
    Deployment deployment;
    deployment.dir = dir_.path();
    Rollback rollback(journal_, worker_, events_, masker_, state_, deployment, {},
                      [](const StageRecord& stage) { return FileIdentity{stage.plugin_file}; });
    if (!limited) rollback.lift_limits();
    return rollback.whole_run(run_, "a test");
  }
  void observe_env_as(const std::string& value) {
    worker_.on_step = [value](const StepRequest&, Step step, StepListener& listener) -> Outcome {
      if (step == Step::observe) listener.fact({"file .env", value, true, false});
      return Done{};
    };
  }

  TemporaryDir dir_;
  StateDir state_{dir_.path() + "/.drydock"};
  Journal journal_;
  Masker masker_;
  Events events_;
  FakeWorker worker_;
  std::uint64_t run_ = 0;
};

TEST_F(RollbackTest, FirstBackwardsThenForwardsThenTheProof) {
  observe_env_as("aaa");
  EXPECT_TRUE(roll_back().verified());
  EXPECT_EQ(
      worker_.performed,
      (std::vector<std::string>{"migrate.rollback", "stop.rollback", "files.rollback",
                                "files.settle", "stop.settle", "migrate.settle", "files.observe"}));
}

TEST_F(RollbackTest, AFactThatDidNotReturnIsNamedWithBothValues) {
  observe_env_as("bbb");
  const RollbackReport report = roll_back();
  EXPECT_FALSE(report.verified());
  ASSERT_EQ(report.differences.size(), 1u);
  EXPECT_EQ(report.differences[0], "files: file .env was aaa and is bbb");
  ASSERT_EQ(journal_.facts(run_, 0, Moment::after_rollback).size(), 1u);
}

TEST_F(RollbackTest, AFactThatIsNoLongerReportedIsADifference) {
  EXPECT_FALSE(roll_back().verified());
}

TEST_F(RollbackTest, ACrashInOneStageDoesNotKeepTheOthersFromBeingRolledBack) {
  worker_.on_step = [](const StepRequest& request, Step step, StepListener& listener) -> Outcome {
    if (step == Step::observe) listener.fact({"file .env", "aaa", true, false});
    if (request.stage_id == "stop" && step == Step::rollback) return Crashed{11, ""};
    return Done{};
  };
  const RollbackReport report = roll_back();
  EXPECT_FALSE(report.verified());
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].rfind("stop: rollback failed: ", 0), 0u) << report.problems[0];
  EXPECT_EQ(worker_.performed.size(), 7u);
}

TEST_F(RollbackTest, OneReasonOfManyStepsIsSaidOnce) {
  worker_.on_step = [](const StepRequest& request, Step step, StepListener& listener) -> Outcome {
    if (step == Step::observe) listener.fact({"file .env", "aaa", true, false});
    if (step == Step::observe || request.stage_id == "files") return Done{};
    const bool other = request.stage_id == "migrate" && step == Step::rollback;
    return Done{Status::failed, other ? "the disk is full" : "no engine"};
  };
  EXPECT_EQ(roll_back().problems,
            (std::vector<std::string>{
                "migrate: rollback failed: the disk is full",
                "stop: rollback, stop: settle, migrate: settle failed: no engine"}));
}

TEST_F(RollbackTest, AReasonThatEndsLikeAnotherIsNotTheSame) {
  worker_.on_step = [](const StepRequest& request, Step step, StepListener& listener) -> Outcome {
    if (step == Step::observe) listener.fact({"file .env", "aaa", true, false});
    if (step != Step::rollback || request.stage_id == "files") return Done{};
    const bool longer = request.stage_id == "migrate";
    return Done{Status::failed, longer ? "restoring app failed: no space" : "no space"};
  };
  EXPECT_EQ(roll_back().problems,
            (std::vector<std::string>{"migrate: rollback failed: restoring app failed: no space",
                                      "stop: rollback failed: no space"}));
}

TEST_F(RollbackTest, IsNotCancellableAndGetsTheNotes) {
  journal_.remember(run_, 2, {"container", "abc"});
  observe_env_as("aaa");
  roll_back();
  const StepRequest& first = worker_.requests.front();
  EXPECT_EQ(first.stage_id, "migrate");
  EXPECT_FALSE(first.cancellable);
  EXPECT_FALSE(first.timeout);
  ASSERT_EQ(first.notes.size(), 1u);
  EXPECT_EQ(first.notes[0].value, "abc");
  EXPECT_EQ(first.private_dir, state_.backups(run_, "migrate"));
}

TEST_F(RollbackTest, HasTheLimitsOfTheJournalUnlessTheyAreLifted) {
  observe_env_as("aaa");
  roll_back();
  for (const StepRequest& request : worker_.requests) {
    EXPECT_EQ(request.memory.bytes, request.stage_id == "migrate" ? 64 << 20 : 0);
  }
  worker_.requests.clear();
  roll_back(false);
  for (const StepRequest& request : worker_.requests) EXPECT_EQ(request.memory.bytes, 0);
}

TEST_F(RollbackTest, ANoteWithASecretIsRefused) {
  masker_.add("DB_PASSWORD", "correct horse");
  std::optional<std::string> refusal;
  worker_.on_step = [&](const StepRequest&, Step step, StepListener& listener) -> Outcome {
    if (step == Step::rollback)
      refusal = listener.remember({"url", "postgres://u:correct horse@db"});
    if (step == Step::observe) listener.fact({"file .env", "aaa", true, false});
    return Done{};
  };
  roll_back();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->find("correct horse"), std::string::npos);
  EXPECT_TRUE(journal_.notes(run_, 0).empty());
}

TEST_F(RollbackTest, SecretFactsAreKeptAsFingerprintsThatStayEqual) {
  worker_.on_step = [](const StepRequest&, Step step, StepListener& listener) -> Outcome {
    if (step == Step::observe) listener.fact({"file .env", "hunter2", true, true});
    return Done{};
  };
  roll_back();
  const std::string first = journal_.facts(run_, 0, Moment::after_rollback)[0].value;
  EXPECT_EQ(first.find("hunter2"), std::string::npos);
  EXPECT_EQ(first, StateDir(state_.path()).fingerprint("hunter2"));
}

TEST(Facts, OfANameThatIsReportedAgainTheLastCounts) {
  const auto facts = [](std::initializer_list<const char*> values) {
    std::vector<Fact> result;
    for (const char* value : values) result.push_back({"x", value, true, false});
    return result;
  };
  EXPECT_TRUE(compare_facts("s", facts({"1", "2"}), facts({"3", "2"})).empty());
  const auto differences = compare_facts("s", facts({"2", "1"}), facts({"1", "2"}));
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].before, "1");
}

}  // namespace
}  // namespace drydock
