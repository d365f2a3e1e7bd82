// A PostgreSQL server of the test's own, and a scripted docker whose `exec` reaches it: to a stage
// it looks like a Compose deployment with a database container.
#pragma once

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "drydock/testing.hpp"

namespace drydock::testing {

inline const std::string postgres_programs = "/usr/lib/postgresql/15/bin/";

// Runs in a folder of its own, reachable by its socket alone, as the user postgres when the test is
// root (the server refuses root).
class PostgresProcess {
 public:
  PostgresProcess() {
    std::string pattern = "/var/tmp/drydock-pg-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    dir_ = pattern;
    if (const passwd* user = ::getpwnam("postgres"); ::geteuid() == 0 && user != nullptr) {
      if (::chown(dir_.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown");
      as_postgres_ = {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"};
    }
    must({"initdb", "--no-sync", "--no-locale", "--encoding=UTF8", "--username=app", "--auth=trust",
          "--pgdata", dir_ + "/data"});
    start();
    sql("template1", "CREATE DATABASE app");
  }
  ~PostgresProcess() {
    if (started_) stop();
    std::filesystem::remove_all(dir_);
  }
  PostgresProcess(const PostgresProcess&) = delete;
  PostgresProcess& operator=(const PostgresProcess&) = delete;

  static bool installed() { return ::access((postgres_programs + "initdb").c_str(), X_OK) == 0; }

  void start() {
    must({"pg_ctl", "--pgdata", dir_ + "/data", "--wait", "--log", dir_ + "/log", "--options",
          "-c listen_addresses= -c fsync=off -c unix_socket_directories=" + dir_, "start"});
    started_ = true;
  }
  void stop() {
    must({"pg_ctl", "--pgdata", dir_ + "/data", "--wait", "--mode", "immediate", "stop"});
    started_ = false;
  }
  bool started() const { return started_; }

  // A client as it is called inside the container.
  Result client(Process process) const {
    std::vector<std::string> arguments = as_postgres_;
    process.arguments[0] = postgres_programs + process.arguments[0];
    arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
    process.arguments = arguments;
    process.environment.push_back("PGHOST=" + dir_);
    process.directory = "/";
    return execute(process, -1);
  }
  std::string sql(const std::string& database, const std::string& statements) const {
    Process process;
    process.arguments = {"psql", "-X",  "-q", "-A",    "-t", "-v", "ON_ERROR_STOP=1",
                         "-U",   "app", "-d", database};
    process.input = statements;
    const Result result = client(process);
    EXPECT_EQ(result.code, 0) << statements << "\n" << result.err;
    return result.out;
  }

 private:
  void must(std::vector<std::string> arguments) const {
    Process process;
    process.arguments = std::move(arguments);
    const Result result = client(process);
    if (result.code != 0) throw std::runtime_error(result.out + result.err);
  }

  std::string dir_;
  std::vector<std::string> as_postgres_;
  bool started_ = false;
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
  FakeDocker(FakeHost& host, PostgresProcess* server) : host_(host), server_(server) {
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
    if (words[0] != "docker") return execute(process, -1);
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
    return server_->client(process);
  }

  FakeHost& host_;
  PostgresProcess* server_;
};

}  // namespace drydock::testing
