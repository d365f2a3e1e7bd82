// pull and compose-stop against scripted answers of docker: the commands that they give.
#include <gtest/gtest.h>

#include <set>

#include "compose_engine.h"
#include "compose_stop_stage.h"
#include "drydock/testing.hpp"
#include "pull_stage.h"

namespace drydock::testing {
namespace {

std::string words(const Process& process) {
  std::string result;
  for (const std::string& word : process.arguments) result += (result.empty() ? "" : " ") + word;
  return result;
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// An engine that knows images by name, and a registry that has an image for every name.
struct Engine {
  explicit Engine(FakeHost& host) {
    host.project = "p";
    host.option("/only", "missing");
    host.on_process([this](const Process& process) { return answer(process); });
  }
  Result answer(const Process& process) {
    const auto& arguments = process.arguments;
    const std::string line = words(process);
    if (has(line, "config --format json")) return {0, model};
    if (has(line, "docker image inspect")) {
      Result result;
      for (std::size_t i = 5; i < arguments.size(); ++i) {
        const bool is_id = ids.count(arguments[i]) != 0;
        const auto found = images.find(arguments[i]);
        if (is_id || found != images.end()) {
          result.out += (is_id ? arguments[i] : found->second) + "\n";
        } else {
          result.code = 1;
          result.err = "Error: No such image: " + arguments[i] + "\n";
        }
      }
      return result;
    }
    if (has(line, "docker pull")) {
      pulled.push_back(arguments.back());
      if (!refusal.empty()) return {1, "", refusal};
      images[arguments.back()] = "sha256:new-" + arguments.back();
      return {};
    }
    if (has(line, "docker tag")) images[arguments[3]] = arguments[2];
    return {};
  }
  std::string model = R"({"services": {
    "api": {"image": "sample/api:2"}, "worker": {"image": "sample/api:2"},
    "db": {"image": "postgres:15"}, "own": {"image": "own:1", "build": {"context": "."}}}})";
  std::map<std::string, std::string> images = {{"postgres:15", "sha256:old"}};
  std::set<std::string> ids = {"sha256:old"};
  std::vector<std::string> pulled;
  std::string refusal;
};

TEST(Pull, PullsOnlyWhatIsNotThere) {
  FakeHost host;
  Engine engine(host);
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.pulled, std::vector<std::string>{"sample/api:2"});
  EXPECT_TRUE(host.perform<Pull>("verify").ok());
  EXPECT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images.count("sample/api:2"), 1u) << "a new image may stay";
  engine.images["sample/api:2"] = "sha256:another";
  EXPECT_TRUE(has(host.perform<Pull>("verify").failure, "sha256:another"));
}

TEST(Pull, GivesAMovedTagItsOldImageBackEvenAfterARepeatedRun) {
  FakeHost host;
  Engine engine(host);
  host.option("/only", "all");
  host.die_at_process(3);
  EXPECT_TRUE(host.perform<Pull>("run").died);
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:new-postgres:15");
  ASSERT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old");
  EXPECT_TRUE(host.perform<Pull>("rollback").ok());
}

TEST(Pull, PlansWithoutMovingATag) {
  FakeHost host;
  Engine engine(host);
  host.option("/only", "all");
  ASSERT_TRUE(host.perform<Pull>("plan").ok());
  EXPECT_TRUE(engine.pulled.empty());
  host.may_fetch = true;
  ASSERT_TRUE(host.perform<Pull>("plan").ok());
  EXPECT_EQ(engine.pulled, std::vector<std::string>{"sample/api:2"});
  ASSERT_EQ(host.changes.size(), 3u) << "api, db, worker";
  EXPECT_EQ(host.changes[0].action, "pull");
  EXPECT_EQ(host.changes[0].after, "sample/api:2");
}

TEST(Pull, SaysInOneSentenceWhyARegistryRefused) {
  FakeHost host;
  Engine engine(host);
  engine.refusal =
      "some advice\nError response from daemon: manifest for sample/api:2 not found: manifest "
      "unknown\n";
  const StepResult result = host.perform<Pull>("run");
  EXPECT_EQ(result.failure,
            "cannot pull the image sample/api:2 of service api, worker: docker gave exit code 1: "
            "manifest for sample/api:2 not found: manifest unknown; does that release exist?");
}

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
