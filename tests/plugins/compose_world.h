// A small Compose application on a real engine (see on-engine.sh): releases, containers, and the
// stages that upgrade it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compose_up_stage.h"
#include "drydock/testing.hpp"

namespace drydock::testing {

// Release 1: a one-shot service that must finish first, a database on ./data, an api, a web tier.
inline const std::string base_1 = R"(
x-base: &base { image: "drydock-test/app:1", network_mode: none, init: true, restart: always }
x-check: &check { interval: 1s, retries: 2, timeout: 5s }
)";
inline const std::string release_1 = base_1 + R"(
services:
  init: { <<: *base, restart: "no", command: [sh, -c, "exit 0"] }
  db:
    <<: *base
    command: [sh, -c, "touch /data/one; sleep 10000"]
    volumes: [ "./data:/data" ]
    healthcheck: { <<: *check, test: [CMD, "true"] }
  api:
    <<: *base
    command: [sleep, "10000"]
    depends_on:
      init: { condition: service_completed_successfully }
      db: { condition: service_healthy }
      vector: { condition: service_started, required: false }
    healthcheck: { <<: *check, test: [CMD, "true"] }
  web: { <<: *base, command: [sleep, "10000"], depends_on: [api] }
  cron: { <<: *base, command: [sleep, "10000"] }
  vector: { <<: *base, profiles: [vector], command: [sleep, "10000"] }
)";
// Release 2: the database service has another name on the same folder, api another image.
inline const std::string release_2 = base_1 + R"(
services:
  init: { <<: *base, restart: "no", command: [sh, -c, "exit 0"] }
  database:
    <<: *base
    command: [sh, -c, "touch /data/two; sleep 10000"]
    volumes: [ "./data:/data" ]
    healthcheck: { <<: *check, test: [CMD, "true"] }
  api:
    <<: *base
    image: drydock-test/app:2
    command: [sleep, "10000"]
    depends_on:
      init: { condition: service_completed_successfully }
      database: { condition: service_healthy }
      vector: { condition: service_started, required: false }
    healthcheck: { <<: *check, test: [CMD, "true"] }
  web: { <<: *base, command: [sleep, "10000"], depends_on: [api] }
  cron: { <<: *base, command: [sleep, "10000"] }
  vector: { <<: *base, profiles: [vector], command: [sleep, "10000"] }
)";

struct Seen {
  std::string id, image, state, policy;
};

class Application {
 public:
  explicit Application(std::string project) : project_(std::move(project)) {
    std::string pattern = "/var/tmp/drydock-compose-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    dir_ = pattern;
  }
  ~Application() {
    for (const auto& [name, seen] : containers()) command({"docker", "rm", "-f", seen.id});
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  const std::string& dir() const { return dir_; }
  void files(const std::string& compose) const { std::ofstream(dir_ + "/compose.yaml") << compose; }
  void up(const std::string& compose) const {
    files(compose);
    const Result result = command({"docker", "compose", "-p", project_, "up", "-d", "--wait"});
    // `--wait` counts the finished one-shot service as a failure.
    for (const auto& [name, seen] : containers()) {
      ASSERT_NE(seen.state, "created") << result.err;
    }
  }
  // A stage of this deployment, with the defaults of its options.
  std::unique_ptr<FakeHost> stage(const std::string& id) const {
    auto host = std::make_unique<FakeHost>();
    host->deployment(dir_);
    host->project = project_;
    host->compose_files = {dir_ + "/compose.yaml"};
    host->stage_id = id;
    host->option("/wait", 40'000);
    host->option("/healthy_for", 0);
    host->run_real_processes();
    return host;
  }
  // What drydock would compare after a rollback.
  std::map<std::string, std::string> facts() const {
    const auto host = stage("observer");
    EXPECT_TRUE(host->perform<ComposeUp>("observe").ok());
    std::map<std::string, std::string> result;
    for (const auto& [name, fact] : host->facts) {
      if (fact.must_return) result[name] = fact.value;
    }
    return result;
  }
  // container name -> what the engine says
  std::map<std::string, Seen> containers() const {
    std::map<std::string, Seen> result;
    const Result ids = command({"docker", "ps", "-aq", "--no-trunc", "--filter",
                                "label=com.docker.compose.project.working_dir=" + dir_});
    for (const std::string& id : lines(ids.out)) {
      const Result one = command(
          {"docker", "inspect", "--format",
           "{{.Name}}\n{{.Config.Image}}\n{{.State.Status}}\n{{.HostConfig.RestartPolicy.Name}}",
           id});
      const std::vector<std::string> fields = lines(one.out);
      if (fields.size() == 4) {
        result[fields[0].substr(1)] = {id, fields[1], fields[2], fields[3]};
      }
    }
    return result;
  }
  std::string name_of(const std::string& service) const { return project_ + "-" + service + "-1"; }
  Seen seen(const std::string& service) const { return containers()[name_of(service)]; }

  Result command(std::vector<std::string> arguments) const {
    Process process;
    process.arguments = std::move(arguments);
    process.directory = dir_;
    return execute(process, -1);
  }
  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) result.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return result;
  }

 private:
  std::string project_, dir_;
};

}  // namespace drydock::testing
