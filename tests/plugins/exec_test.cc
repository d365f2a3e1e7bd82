#include <gtest/gtest.h>

#include <drydock/testing.hpp>

#include "exec_stage.h"

namespace {

using drydock::testing::FakeHost;

// A host that runs commands for real, in an empty deployment.
class ExecTest : public testing::Test {
 protected:
  ExecTest() { host.run_real_processes(); }
  void shell(const std::string& option, const std::string& line) {
    host.option("/shell", true);
    host.option("/" + option, line);
  }
  FakeHost host;
};

TEST_F(ExecTest, RunsTheCommandInTheDeploymentWithoutAShell) {
  host.option("/command", {"touch", "$HOME; x"});
  EXPECT_TRUE(host.perform<Exec>("run").ok());
  EXPECT_TRUE(host.exists("$HOME; x"));
  EXPECT_TRUE(host.outputs.empty());
  EXPECT_TRUE(host.notes.empty());
}

TEST_F(ExecTest, PlansOneChangeAsOneWouldTypeIt) {
  host.option("/command", {"printf", "it's %s", "x"});
  EXPECT_TRUE(host.perform<Exec>("plan").ok());
  ASSERT_EQ(host.changes.size(), 1u);
  EXPECT_EQ(host.changes[0].name, R"(printf 'it'\''s %s' x)");
  EXPECT_EQ(host.changes[0].detail, "a rollback does not undo it");
}

TEST_F(ExecTest, ATextNeedsTheShellOption) {
  host.option("/command", "echo $((1+1))");
  const auto refused = host.perform<Exec>("plan");
  EXPECT_EQ(refused.status, DRYDOCK_BAD_OPTIONS);
  EXPECT_EQ(refused.failure,
            "with.command is a text: write it as a list of program and arguments, or set "
            "shell: true");
  host.option("/shell", true);
  EXPECT_TRUE(host.perform<Exec>("plan").ok());
  EXPECT_TRUE(host.perform<Exec>("run").ok());
  EXPECT_EQ(host.outputs.at("result").value, "2");
}

TEST_F(ExecTest, AFailureNamesTheCommandTheCodeAndItsLastWords) {
  shell("command", "echo working; echo 'no space left' >&2; exit 7");
  const auto result = host.perform<Exec>("run");
  EXPECT_EQ(result.status, DRYDOCK_FAILED);
  EXPECT_EQ(result.failure,
            "with.command: echo working; echo 'no space left' >&2; exit 7 ended with exit code 7 "
            "instead of exit code 0: no space left");
  EXPECT_EQ(host.log_text(), "working\nno space left\n");
}

TEST_F(ExecTest, VariablesReachTheCommandAndSecretsToo) {
  host.option("/environment/PORT", 80);
  host.secret("/secret_environment/TOKEN", "s3cret-token");
  shell("command", "test \"$TOKEN\" = s3cret-token && echo $PORT $DRYDOCK_STEP");
  EXPECT_TRUE(host.perform<Exec>("run").ok());
  EXPECT_EQ(host.outputs.at("result").value, "80 run");
  for (const auto& process : host.processes) {
    for (const auto& argument : process.arguments)
      EXPECT_EQ(argument.find("token-"), std::string::npos);
  }
}

TEST_F(ExecTest, ItsDirectoryIsRelativeToTheDeployment) {
  host.write("hooks/here", "");
  host.option("/directory", "hooks");
  host.option("/command", {"test", "-f", "here"});
  EXPECT_TRUE(host.perform<Exec>("run").ok());
}

TEST_F(ExecTest, StepsExistOnlyWithTheirOptions) {
  host.option("/command", {"true"});
  for (const char* step : {"observe", "verify", "rollback", "settle"}) {
    EXPECT_TRUE(host.perform<Exec>(step).missing) << step;
  }
}

TEST_F(ExecTest, VerifyFailsWithItsCommand) {
  host.option("/command", {"true"});
  host.option("/verify", {"false"});
  EXPECT_EQ(host.perform<Exec>("verify").failure,
            "with.verify: false ended with exit code 1 instead of exit code 0");
}

TEST_F(ExecTest, WhatObservePrintsMustReturn) {
  host.option("/command", {"true"});
  shell("observe", "cat state 2>/dev/null || echo none");
  ASSERT_TRUE(host.perform<Exec>("observe").ok());
  const auto before = host.facts;
  EXPECT_EQ(before.at("observed").value, "none\n");
  EXPECT_TRUE(before.at("observed").must_return);
  host.write("state", "changed");
  ASSERT_TRUE(host.perform<Exec>("observe").ok());
  EXPECT_NE(host.facts, before);
}

TEST_F(ExecTest, ObserveRefusesADump) {
  host.option("/command", {"true"});
  host.option("/observe", {"head", "-c", "70000", "/dev/zero"});
  EXPECT_EQ(host.perform<Exec>("observe").status, DRYDOCK_FAILED);
}

TEST_F(ExecTest, RollbackRunsOnlyAfterTheCommandWasStartedAndOnlyOnce) {
  shell("command", "echo run >> log; exit 1");
  shell("rollback", "echo back >> log");
  EXPECT_TRUE(host.perform<Exec>("rollback").ok());
  EXPECT_FALSE(host.exists("log"));
  EXPECT_EQ(host.perform<Exec>("run").status, DRYDOCK_FAILED);
  EXPECT_TRUE(host.perform<Exec>("rollback").ok());
  EXPECT_TRUE(host.perform<Exec>("rollback").ok());
  EXPECT_EQ(host.read("log"), "run\nback\n");
}

TEST_F(ExecTest, RollbackFollowsADeathAnywhereInTheRun) {
  shell("command", "echo run >> log");
  shell("rollback", "echo back >> log");
  host.die_at_remember(1);
  EXPECT_TRUE(host.perform<Exec>("run").died);
  EXPECT_TRUE(host.perform<Exec>("rollback").ok());
  EXPECT_EQ(host.read("log"), "back\n");
  host.die_at_process(1);
  EXPECT_TRUE(host.perform<Exec>("run").died);
  EXPECT_TRUE(host.perform<Exec>("rollback").ok());
  EXPECT_EQ(host.read("log"), "back\nrun\nback\n");
}

TEST_F(ExecTest, AFailedRollbackIsTriedAgain) {
  host.option("/command", {"true"});
  shell("rollback", "echo back >> log; test -f repaired");
  EXPECT_TRUE(host.perform<Exec>("run").ok());
  EXPECT_EQ(host.perform<Exec>("rollback").status, DRYDOCK_FAILED);
  host.write("repaired", "");
  EXPECT_TRUE(host.perform<Exec>("rollback").ok());
  EXPECT_EQ(host.read("log"), "back\nback\n");
}

}  // namespace
