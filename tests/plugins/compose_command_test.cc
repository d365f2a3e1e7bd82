// What is said when `docker` cannot do what is asked.
#include <gtest/gtest.h>

#include "compose_up_stage.h"
#include "drydock/testing.hpp"

namespace drydock::testing {
namespace {

std::string failure_when_docker_says(const std::string& text) {
  FakeHost host;
  host.project = "p";
  host.on_process([&](const Process&) { return Result{125, "", text}; });
  const StepResult result = host.perform<ComposeUp>("plan");
  EXPECT_EQ(result.status, DRYDOCK_FAILED);
  return result.failure;
}

// Docker's own words without the plugin, by its versions.
TEST(ComposeCommand, SaysThatComposeIsMissingWhereOnlyVersion1MayBe) {
  for (const char* said : {"docker: 'compose' is not a docker command.\nSee 'docker --help'\n",
                           "unknown flag: --ansi\nSee 'docker --help'.\n",
                           "docker: unknown command: docker compose\n"}) {
    const std::string failure = failure_when_docker_says(said);
    EXPECT_NE(failure.find("install Docker Compose 2.24 or newer"), std::string::npos) << failure;
    EXPECT_NE(failure.find("Compose v1"), std::string::npos) << failure;
  }
}

TEST(ComposeCommand, NamesHostAndContextWhenTheEngineDoesNotAnswer) {
  const std::string failure = failure_when_docker_says(
      "Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?\n");
  EXPECT_NE(failure.find("DOCKER_HOST or the Docker context"), std::string::npos) << failure;
}

}  // namespace
}  // namespace drydock::testing
