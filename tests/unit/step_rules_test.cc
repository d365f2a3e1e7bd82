// The rules of stage.h that the worker enforces, and the commands that a step runs.
#include <drydock/stage.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "worker_world.h"

namespace drydock {
namespace {

struct StepRules : WorkerTest {
  StepResult command(const std::string& line, nlohmann::json more = nlohmann::json::object()) {
    StepRequest asked = request("command");
    asked.options["command"] = line;
    asked.options.update(more);
    return perform(asked);
  }
};

TEST_F(StepRules, AStatusThatNoStepMayReturnIsABug) {
  const auto status = [this](const std::string& returned, Step step) {
    StepRequest asked = request("status", {step});
    asked.options["status"] = returned;
    return done(perform(asked)).status;
  };
  EXPECT_EQ(status("0", Step::run), Status::ok);
  EXPECT_EQ(status("1", Step::run), Status::failed);
  EXPECT_EQ(status("2", Step::run), Status::bad_options);
  EXPECT_EQ(status("3", Step::run), Status::cancelled);
  EXPECT_EQ(status("4", Step::run), Status::bug);
  EXPECT_EQ(status("5", Step::plan), Status::unknown);
  EXPECT_EQ(status("5", Step::run), Status::bug);
  EXPECT_EQ(status("6", Step::plan), Status::bug);
  EXPECT_EQ(status("7", Step::run), Status::no_memory);
  EXPECT_EQ(status("77", Step::run), Status::bug);
}

TEST_F(StepRules, ABrokenRuleIsABugWhateverTheStepReturns) {
  const auto broken = [this](const std::string& what, Step step) {
    const Done answer = done(perform(request(what, {step})));
    return answer.status == Status::bug && answer.reason.find("broke a rule") != std::string::npos;
  };
  EXPECT_TRUE(broken("change", Step::run));
  EXPECT_FALSE(broken("change", Step::plan));
  EXPECT_TRUE(broken("fact", Step::plan));
  EXPECT_FALSE(broken("fact", Step::observe));
  EXPECT_TRUE(broken("fact", Step::run)) << "one that must return proves nothing there";
  EXPECT_FALSE(broken("informational fact", Step::run));
  EXPECT_TRUE(broken("informational fact", Step::verify));
  EXPECT_TRUE(broken("remember", Step::observe));
  EXPECT_TRUE(broken("remember", Step::plan));
  EXPECT_FALSE(broken("remember", Step::rollback));
  EXPECT_TRUE(broken("large note", Step::run));
  EXPECT_TRUE(broken("large output", Step::run));
}

// What stage.h does not name may get a meaning one day.
TEST_F(StepRules, WhatTheHeaderDoesNotNameIsRefused) {
  const auto broken = [this](const std::string& what, Step step,
                             nlohmann::json more = nlohmann::json::object()) {
    StepRequest asked = request(what, {step});
    asked.options.update(more);
    return done(perform(asked)).status == Status::bug;
  };
  const auto change = [&](const std::string& word, const std::string& action) {
    return broken("change words", Step::plan, {{"what", word}, {"action", action}});
  };
  EXPECT_FALSE(change("rollback", "lose"));
  EXPECT_FALSE(change("service", "retire"));
  EXPECT_TRUE(change("service", "lose")) << "that is said of a rollback alone";
  EXPECT_TRUE(change("services", "retire"));
  EXPECT_TRUE(change("service", "Retire"));
  const auto output = [&](Step step, const std::string& name, int flags) {
    return broken("output", step, {{"name", name}, {"flags", flags}});
  };
  EXPECT_FALSE(output(Step::run, "sha256_of-it", 0));
  EXPECT_FALSE(output(Step::verify, "x", DRYDOCK_OUTPUT_SECRET | DRYDOCK_OUTPUT_PROMOTE));
  EXPECT_FALSE(output(Step::plan, "x", DRYDOCK_OUTPUT_PLANNED));
  EXPECT_TRUE(output(Step::plan, "x", 0)) << "nobody could use it";
  EXPECT_TRUE(output(Step::observe, "x", 0));
  EXPECT_TRUE(output(Step::rollback, "x", 0));
  EXPECT_TRUE(output(Step::run, "x", 8));
  EXPECT_TRUE(output(Step::run, "a b", 0)) << "no expression could name it";
  EXPECT_TRUE(output(Step::run, "a.b", 0));
  EXPECT_FALSE(broken("artifact", Step::rollback));
  EXPECT_TRUE(broken("artifact", Step::plan));
  EXPECT_TRUE(broken("kind of fact", Step::observe));
}

TEST_F(StepRules, ACommandsVariablesAndTimeoutAreChecked) {
  EXPECT_TRUE(command("true", {{"variable", "A=b=c"}}).ok());
  for (const char* wrong : {"A", "=b"}) {
    const Done answer = done(command("true", {{"variable", wrong}}));
    EXPECT_EQ(answer.status, Status::bug);
    EXPECT_NE(answer.reason.find("no NAME=value"), std::string::npos) << answer.reason;
  }
  EXPECT_EQ(done(command("true", {{"timeout", -1}})).status, Status::bug);
}

TEST_F(StepRules, WhoHearsTheLinesEndsTheCommand) {
  EXPECT_TRUE(
      command("echo one; echo enough; while echo more; do :; done", {{"until_enough", "yes"}})
          .ok());
  EXPECT_TRUE(heard.heard("heard 1 one") && heard.heard("heard 1 enough"));
  EXPECT_FALSE(heard.heard("heard 1 more"));
  EXPECT_TRUE(heard.heard("status 0 code -1 signal 15 timed_out 0 stopped 1"))
      << heard.everything();
}

TEST_F(StepRules, TheLargestNoteFitsWhateverItsBytes) {
  EXPECT_TRUE(perform(request("large note that fits")).ok());
  ASSERT_EQ(heard.notes.size(), 1u);
  EXPECT_EQ(heard.notes[0].value, std::string(1u << 20, '\x01'));
}

TEST_F(StepRules, ACommandsLinesAreLogged) {
  EXPECT_TRUE(command("pwd; echo $ADDED; echo error >&2; exit 3").ok());
  EXPECT_TRUE(heard.heard(folder.path()));
  EXPECT_TRUE(heard.heard("yes") && heard.heard("error"));
  EXPECT_TRUE(heard.heard("status 0 code 3 signal 0 timed_out 0 stopped 0")) << heard.everything();
}

TEST_F(StepRules, ACommandGetsInputAndWritesAFile) {
  const std::string file = folder / "out";
  const std::string input(300000, 'i');  // more than a pipe holds
  EXPECT_TRUE(command("cat", {{"input", input}, {"output_file", file}}).ok());
  std::ostringstream written;
  written << std::ifstream(file).rdbuf();
  EXPECT_EQ(written.str(), input);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(command("cat; echo end").ok());  // without input it is empty, not the terminal
  EXPECT_TRUE(heard.heard("end"));
}

TEST_F(StepRules, ACommandOfAnotherThreadRuns) {
  EXPECT_TRUE(perform(request("commands of threads")).ok());
  EXPECT_TRUE(heard.heard("status 0 code 0 signal 0 timed_out 0 stopped 0")) << heard.everything();
}

TEST_F(StepRules, AMissingCommandIsNamed) {
  const Done answer = done(perform(request("missing command")));
  EXPECT_EQ(answer.status, Status::failed);
  EXPECT_NE(answer.reason.find("'no-such-program' could not be started"), std::string::npos);
}

TEST_F(StepRules, ACommandsTimeoutEndsIt) {
  EXPECT_TRUE(command("exec sleep 1000", {{"timeout", 50}}).ok());
  EXPECT_TRUE(heard.heard("status 0 code -1 signal 15 timed_out 1 stopped 0"))
      << heard.everything();
  EXPECT_TRUE(command("trap '' TERM; while :; do sleep 0.01; done", {{"timeout", 50}}).ok());
  EXPECT_TRUE(heard.heard("status 0 code -1 signal 9 timed_out 1 stopped 0")) << heard.everything();
}

TEST_F(StepRules, ACancelEndsTheCommandAndTheStepAnswers) {
  heard.on_line = [this](const std::string& line) {
    if (line == "begun") cancellation.request();
  };
  patience.stop = std::chrono::seconds(60);
  EXPECT_EQ(done(command("echo begun; exec sleep 1000")).status, Status::cancelled);
  EXPECT_TRUE(heard.heard("status 3 code -1 signal 15 timed_out 0 stopped 0"))
      << heard.everything();
}

TEST_F(StepRules, ADaemonOfACommandDoesNotHoldTheStep) {
  EXPECT_TRUE(command("sleep 1000 & echo begun").ok());
  EXPECT_TRUE(heard.heard("status 0 code 0 signal 0 timed_out 0 stopped 0"));
  ASSERT_EQ(heard.warnings.size(), 1u) << heard.everything();
  EXPECT_NE(heard.warnings[0].find("sleep 1000"), std::string::npos) << heard.warnings[0];
}

}  // namespace
}  // namespace drydock
