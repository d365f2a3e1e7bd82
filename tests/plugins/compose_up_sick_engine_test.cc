// compose-up on a real engine: containers that do not stay up.
#include "compose_world.h"

namespace drydock::testing {
namespace {

using std::chrono::milliseconds;

std::string one_service(const std::string& settings) {
  return base_1 + "services:\n  api: { <<: *base, " + settings + " }\n";
}

std::string failure_of(const std::string& project, const std::string& settings, milliseconds wait,
                       milliseconds healthy_for) {
  Application app(project);
  app.files(one_service(settings));
  const auto up = app.stage("up");
  up->option("/wait", static_cast<int>(wait.count()));
  up->option("/healthy_for", static_cast<int>(healthy_for.count()));
  const StepResult result = up->perform<ComposeUp>("run");
  EXPECT_EQ(result.status, DRYDOCK_FAILED) << up->log_text();
  EXPECT_TRUE(up->perform<ComposeUp>("rollback").ok()) << up->log_text();
  EXPECT_TRUE(app.containers().empty()) << "what it started is gone";
  return result.failure;
}

TEST(ComposeUpEngine, AContainerThatExitsAtOnce) {
  const std::string said =
      failure_of("at-once", "restart: \"no\", command: [sh, -c, \"echo no key; exit 4\"]",
                 milliseconds(20'000), milliseconds(0));
  EXPECT_NE(said.find("service api exited with code 4"), std::string::npos) << said;
  EXPECT_NE(said.find("no key"), std::string::npos) << said;
}

TEST(ComposeUpEngine, AContainerThatNeverAnswers) {
  const std::string said =
      failure_of("never",
                 "command: [sleep, \"10000\"], healthcheck: { <<: *check, timeout: 1s, test: [CMD, "
                 "sleep, \"30\"] }",
                 milliseconds(5000), milliseconds(0));
  EXPECT_NE(said.find("service api is unhealthy (container never-api-1) after"), std::string::npos)
      << said;
}

TEST(ComposeUpEngineLong, AContainerThatExitsAfterFiveSeconds) {
  const std::string said =
      failure_of("five", "restart: \"no\", command: [sh, -c, \"sleep 5; exit 3\"]",
                 milliseconds(20'000), milliseconds(15'000));
  EXPECT_NE(said.find("exited with code 3"), std::string::npos) << said;
  EXPECT_NE(said.find("less than 15s after it was up"), std::string::npos) << said;
}

TEST(ComposeUpEngineLong, AContainerThatFlipsToUnhealthyAfterTwentySeconds) {
  const std::string said =
      failure_of("flips",
                 "command: [sh, -c, \"touch /well; sleep 20; rm /well; sleep 10000\"], "
                 "healthcheck: { <<: *check, test: [CMD, cat, /well] }",
                 milliseconds(20'000), milliseconds(40'000));
  EXPECT_NE(said.find("service api is unhealthy"), std::string::npos) << said;
  EXPECT_NE(said.find("less than 40s after it was up"), std::string::npos) << said;
}

TEST(ComposeUpEngineLong, AContainerThatBeginsAgainAndAgain) {
  const std::string said = failure_of(
      "loop", "command: [sh, -c, \"exit 5\"], healthcheck: { <<: *check, test: [CMD, \"true\"] }",
      milliseconds(300'000), milliseconds(0));
  EXPECT_NE(said.find("service api keeps restarting ("), std::string::npos) << said;
}

}  // namespace
}  // namespace drydock::testing
