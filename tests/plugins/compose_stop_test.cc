// compose-stop against scripted answers of docker, and what stages say of an engine that will not
// do.
#include <gtest/gtest.h>

#include "compose_engine.h"
#include "compose_stop_stage.h"
#include "pull_stage.h"
#include "scripted_engine.h"

namespace drydock::testing {
namespace {

TEST(ComposeEngineCommands, SayThatTheEngineDoesNotAnswer) {
  FakeHost host;
  host.project = "p";
  host.option("/services", {"api"});
  host.on_process([](const Process&) {
    return Result{1, "", "Cannot connect to the Docker daemon at unix:///x. Is it running?\n"};
  });
  const StepResult result = host.perform<ComposeStop>("observe");
  EXPECT_TRUE(has(result.failure, "the Docker engine does not answer")) << result.failure;
}

TEST(ComposeEngineCommands, SayThatVersion1WillNotDo) {
  for (const char* said : {"unknown flag: --ansi\nSee 'docker --help'.\n",
                           "docker: 'compose' is not a docker command.\nSee 'docker --help'\n",
                           "docker: unknown command: docker compose\n\nRun 'docker --help'\n"}) {
    FakeHost host;
    host.project = "p";
    host.option("/only", "changed");
    host.on_process([&](const Process& process) -> Result {
      return has(words(process), "docker compose") ? Result{1, "", said} : Result{};
    });
    const StepResult result = host.perform<Pull>("run");
    EXPECT_TRUE(has(result.failure, "(Compose v1, `docker-compose`,")) << result.failure;
  }
}

TEST(ComposeStop, HoldsTheRestartPolicyBeforeItStops) {
  FakeHost host;
  host.project = "p";
  host.option("/services", {"api"});
  host.option("/grace", 1500);
  const std::string container = R"({"Id": "1", "Name": "/p-api-1", "State": {"Status": "running"},
      "HostConfig": {"RestartPolicy": {"Name": "always"}}, "Config": {"Labels": {
      "com.docker.compose.service": "api",
      "com.docker.compose.project.working_dir": ")" +
                                host.deployment_dir() + "\"}}}";
  const std::string elsewhere =
      R"({"Id": "2", "State": {"Status": "running"}, "Config": {"Labels": {
      "com.docker.compose.service": "api", "com.docker.compose.project.working_dir": "/elsewhere"}}})";
  host.on_process([&](const Process& process) -> Result {
    if (has(words(process), "docker ps")) return {0, "1\n2\n"};
    if (has(words(process), "docker inspect")) return {0, "[" + container + "," + elsewhere + "]"};
    return {};
  });
  ASSERT_TRUE(host.perform<ComposeStop>("run").ok());
  ASSERT_EQ(host.processes.size(), 4u);
  EXPECT_EQ(words(host.processes[2]), "docker update --restart=no 1");
  EXPECT_EQ(words(host.processes[3]), "docker stop -t 2 1");
  EXPECT_TRUE(has(host.note("containers").value_or(""), "\"always\""));
  EXPECT_TRUE(has(host.perform<ComposeStop>("verify").failure, "service api runs"));
}

}  // namespace
}  // namespace drydock::testing
