// An engine that goes away while a stage works: what is waited for, and for how long.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "compose_stop_stage.h"
#include "drydock/testing.hpp"

namespace drydock::testing {
namespace {

// Answers after it was asked `away` times for its version, or never.
class EngineThatIsAway {
 public:
  EngineThatIsAway(FakeHost& host, int away) : away_(away) {
    host.project = "p";
    host.option("/services", {"api"});
    host.on_process([this](const Process& process) {
      commands.push_back(process.arguments.at(1));
      if (away_ == 0) return Result{};
      if (process.arguments.at(1) == "version") --away_;
      return Result{1, "", "Cannot connect to the Docker daemon at unix:///x. Is it running?\n"};
    });
  }
  std::vector<std::string> commands;  // "ps", "version", ...

 private:
  int away_;
};

std::filesystem::path missed_file(const FakeHost& host) {
  return std::filesystem::path(host.private_dir()).parent_path() / ".engine-missed-1";
}

TEST(ComposePatience, WaitsForTheEngineAndRepeatsTheCommand) {
  FakeHost host;
  EngineThatIsAway engine(host, 2);
  const StepResult result = host.perform<ComposeStop>("verify");
  EXPECT_TRUE(result.ok()) << result.failure;
  EXPECT_EQ(engine.commands,
            (std::vector<std::string>{"ps", "version", "version", "version", "ps"}));
  EXPECT_NE(host.log_text().find("waiting up to 60 s"), std::string::npos) << host.log_text();
  EXPECT_FALSE(std::filesystem::exists(missed_file(host))) << "the next outage has its own minute";
}

TEST(ComposePatience, WaitsForNothingBeforeARun) {
  FakeHost host;
  EngineThatIsAway engine(host, -1);
  const StepResult result = host.perform<ComposeStop>("observe");
  EXPECT_NE(result.failure.find("the Docker engine does not answer"), std::string::npos);
  EXPECT_EQ(engine.commands, std::vector<std::string>{"ps"});
}

TEST(ComposePatience, WaitsNoLongerThanAMinuteInAllSteps) {
  FakeHost host;
  EngineThatIsAway engine(host, -1);
  std::ofstream(missed_file(host)).close();
  timespec long_ago[2] = {{::time(nullptr) - 61, 0}, {::time(nullptr) - 61, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, missed_file(host).c_str(), long_ago, 0), 0);
  const StepResult result = host.perform<ComposeStop>("verify");
  EXPECT_NE(result.failure.find("the Docker engine does not answer"), std::string::npos);
  EXPECT_NE(result.failure.find("start it"), std::string::npos);
  EXPECT_EQ(engine.commands, std::vector<std::string>{"ps"});
}

TEST(ComposePatience, EndsWhenTheStepIsCancelled) {
  FakeHost host;
  host.project = "p";
  host.option("/services", {"api"});
  host.on_process([&](const Process&) {
    host.cancel();
    return Result{1, "", "error during connect: EOF\n"};
  });
  EXPECT_EQ(host.perform<ComposeStop>("verify").status, DRYDOCK_CANCELLED);
}

}  // namespace
}  // namespace drydock::testing
