// A database server of the test's own behind a scripted docker whose `exec` reaches it: to a stage
// it looks like a Compose deployment with a database container.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drydock/testing.hpp"

namespace drydock::testing {

class DatabaseProcess {
 public:
  virtual ~DatabaseProcess() = default;
  virtual void start() = 0;
  virtual bool started() const = 0;
  // A client as it is called inside the container.
  virtual Result client(Process process) const = 0;
};

struct FakeContainer {
  std::string id, service, image_id = "sha256:one", state = "running";
  std::string image = "postgres:15";
  std::string folder = "/srv/app/volumes/db";
  std::string environment = R"("POSTGRES_USER=app", "POSTGRES_DB=app", "POSTGRES_PASSWORD=hidden")";
};

// Answers the docker commands of the stages.
class FakeDocker {
 public:
  FakeDocker(FakeHost& host, DatabaseProcess* server) : host_(host), server_(server) {
    host.project = "sample";
    host.model_before = host.deployment_dir() + "/model-before.json";
    host.write("model-before.json", R"({"name": "sample", "services": {"db": {
      "image": "postgres:15", "volumes": [{"type": "bind", "source": "/srv/app/volumes/db",
      "target": "/var/lib/postgresql/data"}]}}})");
    host.on_process([this](const Process& process) { return answer(process); });
  }

  std::vector<FakeContainer> containers;
  std::map<std::string, std::string> images = {{"postgres:15", "sha256:one"}};
  std::vector<std::vector<std::string>> composed;  // `docker compose ... up`
  // Called with each command that is not docker's, before it runs.
  std::function<void(const Process&)> before_command;
  // The same with each client inside the container, as it is called there.
  std::function<void(const Process&)> before_exec;
  // Set by a test to break a client of the server: nullopt leaves it alone.
  std::function<std::optional<Result>(const std::vector<std::string>&)> instead;

  FakeContainer& of(const std::string& service) {
    for (FakeContainer& one : containers) {
      if (one.service == service) return one;
    }
    throw std::runtime_error("no container of " + service);
  }

 private:
  static bool has(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }

  Result answer(const Process& process) {
    const std::vector<std::string>& words = process.arguments;
    if (words[0] != "docker") {
      if (before_command) before_command(process);
      return execute(process, -1);
    }
    if (words[1] == "ps") {
      Result result;
      for (const FakeContainer& one : containers) {
        if (has(words, "--all") || one.state == "running") result.out += one.id + "\n";
      }
      return result;
    }
    if (words[1] == "inspect") return inspect(words);
    if (words[1] == "image") {
      const auto found = images.find(words.back());
      if (found == images.end()) return {1, "", "No such image"};
      return {0, found->second + "\n"};
    }
    if (words[1] == "start") {
      for (FakeContainer& one : containers) {
        if (one.id == words.back()) one.state = "running";
      }
      if (!server_->started()) server_->start();
      return {};
    }
    if (words[1] == "stop") {
      for (FakeContainer& one : containers) {
        if (has(words, one.id)) one.state = "exited";
      }
      return {};
    }
    if (words[1] == "exec") return exec(process);
    if (words[1] == "compose" && has(words, "up")) {
      composed.push_back(words);
      containers.push_back({"new-" + words.back(), words.back()});
      if (!server_->started()) server_->start();
      return {};
    }
    return {1, "", "unexpected: docker " + words[1]};
  }

  Result inspect(const std::vector<std::string>& words) const {
    Result result;
    for (const FakeContainer& one : containers) {
      if (!has(words, one.id)) continue;
      result.out += (result.out.empty() ? "[" : ",");
      result.out += R"({"Id": ")" + one.id + R"(", "Name": "/sample-)" + one.service +
                    R"(-1", "Image": ")" + one.image_id + R"(", "State": {"Status": ")" +
                    one.state + R"("}, "Config": {"Image": ")" + one.image + R"(", "Env": [)" +
                    one.environment + R"(], "Labels": {"com.docker.compose.project": "sample",
        "com.docker.compose.service": ")" +
                    one.service + R"(", "com.docker.compose.project.working_dir": ")" +
                    host_.deployment_dir() + R"("}}, "Mounts": [{"Type": "bind", "Source": ")" +
                    one.folder + R"(", "Destination": "/var/lib/postgresql/data", "RW": true}]})";
    }
    result.out += result.out.empty() ? "[]" : "]";
    return result;
  }

  Result exec(Process process) {
    std::vector<std::string>& words = process.arguments;
    const auto container = std::find_if(words.begin(), words.end(), [&](const std::string& word) {
      return std::any_of(containers.begin(), containers.end(),
                         [&](const FakeContainer& one) { return one.id == word; });
    });
    if (container == words.end() || !server_->started()) {
      return {1, "", "Error response from daemon: container is not running"};
    }
    words.erase(words.begin(), container + 1);
    if (instead) {
      if (auto result = instead(words)) return *result;
    }
    if (before_exec) before_exec(process);
    if (words[0] == "df") return execute(process, -1);
    return server_->client(process);
  }

  FakeHost& host_;
  DatabaseProcess* server_;
};

}  // namespace drydock::testing
