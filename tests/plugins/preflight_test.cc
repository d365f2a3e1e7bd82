// preflight: what is decided, and the stage against scripted answers of docker.
#include <gtest/gtest.h>
#include <unistd.h>

#include <drydock/testing.hpp>
#include <fstream>

#include "checks.h"
#include "image_reference.h"
#include "preflight_stage.h"
#include "versions.h"

namespace drydock::preflight {
namespace {

using compose::Container;
using compose::Model;
using compose::Mount;
using testing::FakeHost;
using testing::Result;
using Texts = std::vector<std::string>;

TEST(PreflightVersions, CompareByTheirNumbers) {
  EXPECT_EQ(compare_versions("1.9.2", "1.14.0"), -1);
  EXPECT_EQ(compare_versions("v1.14", "1.14.0"), 0);
  EXPECT_EQ(compare_versions("28.2.2+dfsg1", "20.10"), 1);
  EXPECT_EQ(compare_versions("1.14.0-rc1", "1.14.0"), 0);
  for (const char* tag : {"", "latest", "main", "-1", "99999999999999999999"}) {
    EXPECT_FALSE(compare_versions(tag, "1.0")) << tag;
  }
}

TEST(PreflightVersions, FindTheTagOfAnImage) {
  EXPECT_EQ(tag_of("sample/api:1.2"), "1.2");
  EXPECT_EQ(tag_of("127.0.0.1:5000/sample/api"), "");
  EXPECT_EQ(tag_of("127.0.0.1:5000/sample/api:1.2@sha256:abc"), "1.2");
}

TEST(PreflightMachine, RefusesWhatIsTooOldOrTooSmall) {
  const Minimum minimum{"20.10", "2.24", std::int64_t{4} << 30, 2, std::int64_t{10} << 30};
  Findings findings;
  check_machine({"28.2.2", "2.26.1", std::int64_t{4} << 30, 2, std::int64_t{11} << 30}, minimum,
                findings);
  EXPECT_EQ(findings.refused, Texts());
  EXPECT_EQ(findings.not_known, Texts());
  check_machine({"19.03", "2.23.3", std::int64_t{2} << 30, 1, std::int64_t{3} << 29}, minimum,
                findings);
  ASSERT_EQ(findings.refused.size(), 5u);
  EXPECT_EQ(findings.refused[0],
            "the Docker engine is 19.03, and 20.10 or newer is needed; upgrade it first");
  EXPECT_NE(findings.refused[1].find("Docker Compose is 2.23.3, and 2.24"), std::string::npos);
  EXPECT_NE(findings.refused[2].find("is 2.0 GiB, and 4.0 GiB is needed"), std::string::npos);
  EXPECT_NE(findings.refused[3].find("is 1.5 GiB, and 10.0 GiB is needed"), std::string::npos);
  EXPECT_NE(findings.refused[4].find("has 1 CPU, and 2 are needed"), std::string::npos);
}

TEST(PreflightMachine, SaysWhatItDoesNotKnow) {
  Findings findings;
  check_machine({}, {"20.10", "2.24", 1, 1, 1}, findings);
  EXPECT_EQ(findings.refused, Texts());
  EXPECT_EQ(findings.not_known.size(), 5u);
  Findings asked_less;
  check_machine({"20.10", "2.24", -1, -1, -1}, {"20.10", "2.24", 0, 0, 0}, asked_less);
  EXPECT_EQ(asked_less.not_known, Texts());
}

TEST(PreflightProject, RefusesAnotherNameForWhatRuns) {
  Container running;
  running.service = "api";
  running.name = "docker-api-1";
  running.project = "docker";
  running.state = "running";
  Findings findings;
  check_project("docker", {running}, findings);
  EXPECT_EQ(findings.refused, Texts());
  check_project("dify", {running}, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("project docker (container docker-api-1)"), std::string::npos);
  running.state = "exited";
  Findings stopped;
  check_project("dify", {running}, stopped);
  EXPECT_EQ(stopped.refused, Texts());
}

Model model_with(const std::string& service, const Mount& mount) {
  Model model;
  model.services[service].mounts = {mount};
  return model;
}

TEST(PreflightVolumes, RefusesDataInAnotherPlace) {
  const Mount folder{"bind", "", "/srv/app/data", "/data", true};
  const Mount other{"bind", "", "/srv/app/elsewhere", "/data", true};
  const Mount volume{"volume", "app_data", "data", "/data", true};
  Findings findings;
  check_volumes(model_with("db", folder), model_with("db", folder), {}, findings);
  check_volumes(model_with("db", folder), model_with("database", other), {}, findings);
  check_volumes(model_with("db", folder), model_with("db", other), {"db"}, findings);
  Mount read_only = other;
  read_only.writable = false;
  check_volumes(model_with("db", folder), model_with("db", read_only), {}, findings);
  EXPECT_EQ(findings.refused, Texts());
  check_volumes(model_with("db", folder), model_with("db", volume), {}, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("service db has its /data in the folder /srv/app/data, and "
                                     "would look for it in the volume app_data"),
            std::string::npos)
      << findings.refused[0];
}

Texts refused_path(const std::string& from, const std::string& to, const Texts& stops) {
  Findings findings;
  check_path({from, to, stops}, findings);
  return findings.refused;
}

TEST(PreflightPath, RefusesToGoBackOrToJumpOverAStop) {
  const Texts stops = {"1.0", "1.10"};
  EXPECT_EQ(refused_path("1.9.2", "1.10", stops), Texts());
  EXPECT_EQ(refused_path("1.10", "1.14.1", stops), Texts());
  EXPECT_EQ(refused_path("1.14.1", "1.14.1", stops), Texts());
  ASSERT_EQ(refused_path("0.15.3", "1.14.1", stops).size(), 1u);
  EXPECT_NE(refused_path("0.15.3", "1.14.1", stops)[0].find("leads through 1.0,"),
            std::string::npos);
  EXPECT_NE(refused_path("1.14.1", "1.9", stops).at(0).find("1.9 is older"), std::string::npos);
  Findings findings;
  check_path({"latest", "2.0", stops}, findings);
  check_path({"", "2.0", stops}, findings);
  check_path({"1.0", "", stops}, findings);
  EXPECT_EQ(findings.refused, Texts());
  EXPECT_EQ(findings.not_known.size(), 2u);
}

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
    if (line.find("docker ps") == 0) return {0, "c1\n"};
    if (line.find("docker inspect") == 0) {
      return {0,
              R"([{"Id": "c1", "Name": "/p-api-1", "Config": {"Image": "sample/api:1.2", "Labels": {
        "com.docker.compose.service": "api", "com.docker.compose.project": ")" +
                  running_project + R"(", "com.docker.compose.project.working_dir": ")" +
                  host.deployment_dir() + R"("}}, "State": {"Status": "running"}}])"};
    }
    if (line.find("config --format json") != std::string::npos) return {0, model};
    return {1, "", "unexpected: " + line};
  }
  std::string failure() { return host.perform<Preflight>("plan").failure; }

  FakeHost host;
  std::string info = R"({"ServerVersion": "28.2.2", "MemTotal": 4294967296, "NCPU": 2,
                         "DockerRootDir": "/"})";
  std::string compose_version = "v2.26.1", running_project = "p";
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

TEST_F(PreflightStage, SaysWhenTheEngineDoesNotAnswer) {
  host.on_process([](const Process&) {
    return Result{1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."};
  });
  EXPECT_NE(failure().find("the Docker engine does not answer"), std::string::npos);
}

}  // namespace
}  // namespace drydock::preflight
