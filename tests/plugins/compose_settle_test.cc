// Settling where something that it needs is gone for good (files that do not resolve, an image),
// and what compose-up asks of the engine before it starts anything.
#include "compose_settle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "compose_stop_stage.h"
#include "compose_up_stage.h"
#include "drydock/testing.hpp"

namespace drydock::testing {
namespace {

const std::string model =
    R"({"name": "p", "services": {"api": {"image": "api:1"}, "db": {"image": "db:1"}}})";

bool has(const std::vector<std::string>& command, const std::string& word) {
  return std::find(command.begin(), command.end(), word) != command.end();
}

// An engine with the containers api and db, each from an image of its own, that are removed.
struct Engine {
  explicit Engine(FakeHost& of) : host(of) {
    host.project = "p";
    host.compose_files = {host.deployment_dir() + "/compose.yaml"};
    host.option("/services", {"api"});
    host.option("/wait", std::chrono::milliseconds(0));
    host.on_process([this](const Process& process) { return answer(process); });
  }
  Result answer(const Process& process) {
    const std::vector<std::string>& command = process.arguments;
    if (has(command, "config")) return resolved(command);
    if (has(command, "up")) {
      for (const char* service : {"api", "db"}) {
        if (has(command, service)) made.push_back(service);
        if (has(command, service)) exist[service] = true;
      }
      by = command;
      return {};
    }
    if (command.at(1) == "image") return image(command.back());
    if (command.at(1) == "ps") return {0, "api\ndb\n"};
    if (command.at(1) == "inspect") return {0, inspected(command)};
    return {};
  }
  Result resolved(const std::vector<std::string>& command) const {
    if (!resolves) return {15, "", "required variable DB_HOST is missing a value"};
    return {0, has(command, "--hash") ? "api " + hash + "\ndb " + hash_of_db + "\n" : files};
  }
  Result image(const std::string& name) const {
    if (!tags_moved) return {0, "sha256:" + name.substr(0, name.find(':')) + "\n"};
    if (name == image_gone) return {1, "", "No such image"};
    return {0, (name.rfind("sha256:", 0) == 0 ? name : "sha256:moved") + "\n"};
  }
  std::string inspected(const std::vector<std::string>& command) const {
    std::string list;
    for (const auto& [id, there] : exist) {
      if (!there || !has(command, id)) continue;
      list += (list.empty() ? "" : ",") + (R"({"Id": ")" + id + R"(", "Name": "/p-)" + id) +
              R"(-1", "Image": "sha256:)" + id + R"(", "Config": {"Image": ")" + id +
              R"(:1", "Labels": {"com.docker.compose.project": "p",
                 "com.docker.compose.service": ")" +
              id + R"(", "com.docker.compose.container-number": "1",
                 "com.docker.compose.config-hash": "hash",
                 "com.docker.compose.project.working_dir": ")" +
              host.deployment_dir() + R"("}}, "State": {"Status": "running"}, "Mounts": )" +
              (id == "api" ? mounts_of_api : "[]") + R"(,
                 "HostConfig": {"RestartPolicy": {"Name": "no"}}})";
    }
    return "[" + list + "]";
  }
  StepResult settle_without_containers() {
    EXPECT_TRUE(host.perform<ComposeStop>("run").ok());
    exist.clear();
    return host.perform<ComposeStop>("settle");
  }

  FakeHost& host;
  std::map<std::string, bool> exist = {{"api", true}, {"db", true}};
  bool resolves = true;
  std::string files = model;
  std::string mounts_of_api = "[]";
  bool tags_moved = true;
  std::string image_gone, hash = "hash", hash_of_db = "hash";  // hashes: of the files
  std::vector<std::string> made, by;
};

TEST(ComposeSettle, GoesByTheKeptModelWhereTheFilesDoNotResolve) {
  FakeHost host;
  Engine engine(host);
  engine.resolves = false;
  host.model_before = host.deployment_dir() + "/model.json";
  std::ofstream(host.model_before) << model;
  const StepResult settled = engine.settle_without_containers();
  EXPECT_TRUE(settled.ok()) << settled.failure;
  EXPECT_EQ(engine.made, (std::vector<std::string>{"api", "db"}));
  EXPECT_TRUE(has(engine.by, host.model_before));
  EXPECT_NE(host.log_text().find("DB_HOST"), std::string::npos) << host.log_text();
}

TEST(ComposeSettle, SaysWhyTheFilesDoNotResolveWhereNothingElseIsKept) {
  FakeHost host;
  Engine engine(host);
  engine.resolves = false;
  const StepResult settled = engine.settle_without_containers();
  EXPECT_NE(settled.failure.find("service api ran before: "), std::string::npos) << settled.failure;
  EXPECT_NE(settled.failure.find("DB_HOST"), std::string::npos) << settled.failure;
  EXPECT_TRUE(engine.made.empty());
}

// There is no model of before where the files did not resolve before the run.
TEST(ComposeSettle, ThePlanTellsWhatNeitherFilesNorASnapshotMake) {
  FakeHost host;
  Engine engine(host);
  engine.hash = "of the new files";
  const StepResult planned = host.perform<ComposeUp>("plan");
  EXPECT_TRUE(planned.ok()) << planned.failure;
  ASSERT_EQ(host.changes.size(), 2u);
  EXPECT_EQ(host.changes[1].action + " " + host.changes[1].name, "lose api");
  std::ofstream(host.snapshot_dir() + "/compose.yaml") << "# as it ran\n";
  host.on_process([&](const Process& process) {
    const bool of_snapshot = has(process.arguments, host.snapshot_dir() + "/compose.yaml");
    if (of_snapshot && has(process.arguments, "--hash")) return Result{0, "api hash\n"};
    if (of_snapshot && !process.output_file.empty()) return Result{0, model};
    return engine.answer(process);
  });
  EXPECT_TRUE(host.perform<ComposeUp>("plan").ok());
  EXPECT_EQ(host.changes.size(), 1u) << host.changes.back().name;
}

TEST(ComposeSettle, OneImageThatIsGoneKeepsNoOtherServiceDown) {
  FakeHost host;
  Engine engine(host);
  engine.image_gone = "sha256:api";
  const StepResult settled = engine.settle_without_containers();
  EXPECT_EQ(settled.failure.find("the image sha256:api that ran as api:1 is no longer"), 0u)
      << settled.failure;
  EXPECT_EQ(engine.made, std::vector<std::string>{"db"});
}

// All in one `up` Compose makes api anew because db changes: it holds the folder no longer alone.
TEST(ComposeUpRun, WhoIsMadeAnewWithItsDependencyHoldsNoMount) {
  FakeHost host;
  Engine engine(host);
  const std::string data = host.deployment_dir() + "/data";
  const std::string mounts =
      R"("volumes": [{"type": "bind", "source": ")" + data + R"(", "target": "/d"}])";
  engine.files = R"({"name": "p", "services": {"db": {"image": "db:1"}, "api": {"image": "api:1",
      "depends_on": {"db": {"condition": "service_started"}}, )" +
                 mounts + R"(}, "worker": {"image": "db:1", )" + mounts + "}}}";
  engine.mounts_of_api =
      R"([{"Type": "bind", "Source": ")" + data + R"(", "Destination": "/d", "RW": true}])";
  engine.tags_moved = false;
  engine.hash_of_db = "of the new files";
  host.option("/services", {"api", "worker"});
  const StepResult run = host.perform<ComposeUp>("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(has(engine.by, "up"));
}

}  // namespace
}  // namespace drydock::testing
