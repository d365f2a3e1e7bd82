// preflight: the stage against scripted answers of docker.
#include "preflight_stage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <drydock/testing.hpp>
#include <filesystem>
#include <fstream>

namespace drydock::preflight {
namespace {

using testing::FakeHost;
using testing::Result;

// An engine with one running container, and a deployment whose new files put its data elsewhere.
class PreflightStage : public ::testing::Test {
 protected:
  PreflightStage() {
    host.project = "p";
    host.compose_files = {host.deployment_dir() + "/docker-compose.yaml"};
    host.option("/engine", "20.10");
    host.option("/compose", "2.24");
    host.on_process([this](const Process& process) { return answer(process); });
  }
  Result answer(const Process& process) {
    std::string line;
    for (const std::string& word : process.arguments) line += word + " ";
    if (line.find("docker info") == 0) return {0, info};
    if (line.find("compose version") != std::string::npos) return {0, compose_version + "\n"};
    if (line.find("{{.Ports}}") != std::string::npos) return {0, published};
    if (line.find("docker ps") == 0) return {0, "c1\n"};
    if (line.find("docker image inspect") == 0) {
      if (image_is_here) return {0, "sha256:1\n"};
      return {1, "", "Error: No such image: sample/api:2.0\n"};
    }
    if (line.find("docker manifest inspect") == 0) {
      const auto found = manifests.find(process.arguments.back());
      return found == manifests.end() ? Result{1, "", "no such manifest"}
                                      : Result{0, found->second};
    }
    if (line.find("docker exec c1 psql") == 0) {
      return database_bytes.empty() ? Result{1, "", "psql: not found"} : Result{0, database_bytes};
    }
    if (line.find("docker inspect") == 0) {
      return {0, R"([{"Id": "c1", "Name": "/p-api-1", "Config": {"Image": ")" + running_image +
                     R"(", "Labels": {
        "com.docker.compose.service": "api", "com.docker.compose.project": ")" +
                     running_project + R"(", "com.docker.compose.project.working_dir": ")" +
                     host.deployment_dir() + R"("}}, "State": {"Status": "running"}}])"};
    }
    if (line.find("config --format json") != std::string::npos) return {0, model};
    return {1, "", "unexpected: " + line};
  }
  std::string failure() {
    for (const auto& kept : std::filesystem::directory_iterator(host.planning_dir())) {
      std::filesystem::remove_all(kept);  // each one is a plan of its own
    }
    return host.perform<Preflight>("plan").failure;
  }

  FakeHost host;
  std::string info = R"({"ServerVersion": "28.2.2", "MemTotal": 4294967296, "NCPU": 2,
                         "DockerRootDir": "/"})";
  std::string compose_version = "v2.26.1", running_project = "p", published, database_bytes;
  std::map<std::string, std::string> manifests;
  std::string running_image = "sample/api:1.2";
  bool image_is_here = true;
  std::string model = R"({"name": "p", "services": {"api": {"image": "sample/api:2.0"}}})";
};

TEST_F(PreflightStage, PassesWhatMayBeUpgraded) {
  host.option("/releases/service", "api");
  host.option("/releases/to", "2.0");
  EXPECT_TRUE(host.perform<Preflight>("plan").ok()) << host.log_text();
  EXPECT_TRUE(host.perform<Preflight>("run").ok());
  EXPECT_NE(host.log_text().find("Docker engine 28.2.2, Docker Compose v2.26.1, project p"),
            std::string::npos);
}

TEST_F(PreflightStage, NamesAllThatSpeaksAgainstIt) {
  compose_version = "1.29.2";
  running_project = "another";
  host.option("/memory", 8589934592);
  host.option("/releases/service", "api");
  host.option("/releases/to", "1.0");
  const std::string said = failure();
  for (const char* part : {"Docker Compose is 1.29.2", "is 4.0 GiB, and 8.0 GiB",
                           "Compose project another", "1.0 is older"}) {
    EXPECT_NE(said.find(part), std::string::npos) << part << "\n" << said;
  }
}

TEST_F(PreflightStage, KnowsTheDiskOfThisMachineAlone) {
  char own[256] = "";
  ASSERT_EQ(::gethostname(own, sizeof own - 1), 0);
  host.option("/disk", std::int64_t{1} << 60);
  info =
      std::string(R"({"ServerVersion": "28.2.2", "DockerRootDir": "/", "Name": ")") + own + "\"}";
  EXPECT_NE(failure().find("the free disk space of the engine is "), std::string::npos);
  FakeHost another;
  another.project = "p";
  another.compose_files = {another.deployment_dir() + "/docker-compose.yaml"};
  another.option("/engine", "20.10");
  another.option("/compose", "2.24");
  another.option("/disk", std::int64_t{1} << 60);
  another.on_process([this](const Process& process) { return answer(process); });
  info = R"({"ServerVersion": "28.2.2", "DockerRootDir": "/", "Name": "elsewhere.example"})";
  EXPECT_TRUE(another.perform<Preflight>("plan").ok());
  EXPECT_NE(another.log_text().find("the free disk space of the engine"), std::string::npos);
}

TEST_F(PreflightStage, LooksAtTheVolumesOfBeforeAndAfter) {
  host.model_before = host.private_dir() + "/before.json";
  std::ofstream(host.model_before) << R"({"name": "p", "services": {"api": {"volumes": [
    {"type": "bind", "source": "/srv/one", "target": "/data"}]}}})";
  std::ofstream(host.planned_dir() + "/docker-compose.yaml") << "the new release's\n";
  model = R"({"name": "p", "services": {"api": {"volumes": [
    {"type": "bind", "source": "/srv/two", "target": "/data"}]}}})";
  EXPECT_NE(failure().find("would look for it in the folder /srv/two"), std::string::npos);
  host.option("/moved", testing::Option::array());
  host.option("/moved/0", "api");
  EXPECT_EQ(failure(), "");
}

TEST_F(PreflightStage, WeighsNewImagesWhereItMayAsk) {
  image_is_here = false;
  char own[256] = "";
  ASSERT_EQ(::gethostname(own, sizeof own - 1), 0);
  info =
      std::string(
          R"({"ServerVersion": "28.2.2", "DockerRootDir": "/", "Architecture": "x86_64", "Name": ")") +
      own + "\"}";
  EXPECT_EQ(failure(), "");
  EXPECT_NE(host.log_text().find("the size of 1 new image (`plan --fetch` asks the registry)"),
            std::string::npos)
      << host.log_text();
  for (const Process& process : host.processes) EXPECT_NE(process.arguments[1], "manifest");
  host.may_fetch = true;
  EXPECT_EQ(failure(), "");
  EXPECT_NE(host.log_text().find("the registry of sample/api:2.0 does not say"), std::string::npos);
  manifests["sample/api:2.0"] =
      R"({"manifests": [{"digest": "sha256:1", "platform": {"os": "linux", "architecture": "amd64"}}]})";
  manifests["sample/api@sha256:1"] = R"({"layers": [{"digest": "a", "size": 1000000}]})";
  EXPECT_EQ(failure(), "");
  EXPECT_EQ(host.log_text().find("not checked"), std::string::npos) << host.log_text();
  manifests["sample/api@sha256:1"] =
      R"({"layers": [{"digest": "a", "size": 1000000000000000000}]})";
  EXPECT_NE(failure().find("are needed: 1 new image (about"), std::string::npos) << failure();
}

TEST_F(PreflightStage, LooksForRoomForTheDatabaseTwice) {
  char own[256] = "";
  ASSERT_EQ(::gethostname(own, sizeof own - 1), 0);
  info =
      std::string(R"({"ServerVersion": "28.2.2", "DockerRootDir": "/", "Name": ")") + own + "\"}";
  running_image = "postgres:15-alpine";
  database_bytes = "1000000\n";
  EXPECT_EQ(failure(), "");
  database_bytes = "1000000000000000000\n";
  const std::string said = failure();
  EXPECT_NE(said.find("the dump of api (about"), std::string::npos) << said;
  EXPECT_NE(said.find("a restored copy of api"), std::string::npos) << said;
  host.option("/databases", testing::Option::array());
  EXPECT_EQ(failure(), "");
  host.clear_options();
  database_bytes = "";
  EXPECT_EQ(failure(), "");
  EXPECT_NE(host.log_text().find("the size of the dump of api"), std::string::npos);
}

TEST_F(PreflightStage, RefusesAPortOfAnotherContainer) {
  model = R"({"name": "p", "services": {"api": {"image": "sample/api:2.0", "ports": [
    {"target": 80, "published": "18099"}]}}})";
  EXPECT_EQ(failure(), "");
  published = "other-web-1\tother\t/srv/other\t0.0.0.0:18099->80/tcp\n";
  EXPECT_NE(failure().find("container other-web-1 of project other has"), std::string::npos);
  host.option("/ports", false);
  EXPECT_EQ(failure(), "");
  host.option("/ports", true);
  published = "p-api-1\tp\t" + host.deployment_dir() + "\t0.0.0.0:18099->80/tcp\n";
  EXPECT_EQ(failure(), "");
}

TEST_F(PreflightStage, ShowsWhatReleasesAskFor) {
  host.option("/releases/service", "api");
  host.option("/releases/to", "2.0");
  host.option("/releases/steps", testing::Option::array());
  host.option("/releases/steps/0", testing::Option::object());
  host.option("/releases/steps/0/release", "1.5");
  host.option("/releases/steps/0/text", "files get another owner");
  host.option("/releases/steps/0/command", "chown -R 1001 volumes/app");
  EXPECT_EQ(failure(), "");
  ASSERT_EQ(host.changes.size(), 1u);
  EXPECT_EQ(host.changes[0].name, "release 1.5");
  EXPECT_NE(host.changes[0].detail.find("chown -R 1001"), std::string::npos);
  host.option("/releases/steps/0/acknowledge", true);
  EXPECT_NE(failure().find("name 1.5 under `releases: acknowledged`"), std::string::npos);
  host.option("/releases/acknowledged", "1.5");
  EXPECT_EQ(failure(), "");
}

TEST_F(PreflightStage, SaysWhereComposeCannotReadTheFiles) {
  model = "";
  host.on_process([this](const Process& process) {
    for (const std::string& word : process.arguments) {
      if (word == "config")
        return Result{15, "", "services.api additional property x is not allowed"};
    }
    return answer(process);
  });
  const std::string said = failure();
  EXPECT_NE(said.find("additional property x"), std::string::npos) << said;
  EXPECT_NE(said.find("v2.26.1; an older one does not know"), std::string::npos) << said;
}

TEST_F(PreflightStage, SaysWhenTheEngineDoesNotAnswer) {
  host.on_process([](const Process&) {
    return Result{1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."};
  });
  EXPECT_NE(failure().find("the Docker engine does not answer"), std::string::npos);
}

}  // namespace
}  // namespace drydock::preflight
