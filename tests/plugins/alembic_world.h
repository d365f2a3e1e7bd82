// A deployment with a running database and a service that migrates it, as scripted answers of
// docker: also what is in the service's image.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "alembic_migrate_stage.h"
#include "drydock/testing.hpp"

namespace drydock::testing {

inline bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The files at and below `path` of an image as `docker cp` writes them; "" when there are none.
inline std::string tar_of(const std::map<std::string, std::string>& image,
                          const std::string& path) {
  std::string stream;
  for (const auto& [file, text] : image) {
    if (file != path && file.compare(0, path.size() + 1, path + "/") != 0) continue;
    const std::string name = file.substr(path.rfind('/') + 1);
    char header[512] = {};
    std::snprintf(header, 100, "%s", name.c_str());
    std::snprintf(header + 124, 12, "%011zo", text.size());
    std::fill(header + 148, header + 156, ' ');
    header[156] = '0';
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    std::snprintf(header + 148, 8, "%06o", sum);
    stream.append(header, sizeof header).append(text);
    stream.append((512 - text.size() % 512) % 512, '\0');
  }
  return stream.empty() ? "" : stream + std::string(1024, '\0');
}

// The table alembic_version says `revision`. Without files the image has no migration scripts.
class AlembicWorld : public ::testing::Test {
 protected:
  void SetUp() override {
    host.project = "sample";
    host.stage_id = "migrate";
    host.option("/service", "api");
    host.option("/environment/MODE", "migration");
    host.secret("/secret_environment/TOKEN", "secret-token");
    host.on_process([this](const Process& process) { return answer(process); });
  }
  // A revision file, in the folder of an application that uses Flask-Migrate.
  void script(const std::string& name, const std::string& down, const std::string& message = "") {
    image["/app/migrations/env.py"];
    image["/app/migrations/versions/" + name + ".py"] =
        "'" + message + "'\nrevision = '" + name + "'\ndown_revision = " + down + "\n";
  }
  // Called by several threads at once, one of which may belong to a step that has died.
  Result answer(const Process& process) {
    if (!process.input_file.empty()) return idle_session(process.input_file);
    std::unique_lock<std::mutex> lock(one_at_a_time);
    const std::vector<std::string>& words = process.arguments;
    if (killed_at && killed_at(process)) {
      killed_at = nullptr;
      dead = true;
      lock.unlock();
      host.die();
    }
    if (words[1] == "ps" && has(words, "--filter") &&
        words[words.size() - 3].rfind("name=", 0) == 0) {
      return {0, leftover};
    }
    if (words[1] == "ps") return {0, "db-1\n"};
    if (words[1] == "inspect") {
      return {0, R"([{"Id": "db-1", "Name": "/sample-db-1", "State": {"Status": "running")" +
                     (health.empty() ? "" : R"(, "Health": {"Status": ")" + health + "\"}") + R"(},
        "Config": {"Image": "postgres:15", "Env": ["POSTGRES_USER=app", "POSTGRES_DB=data"],
        "Labels": {"com.docker.compose.project": "sample", "com.docker.compose.service": "db",
        "com.docker.compose.project.working_dir": ")" +
                     host.deployment_dir() + R"("}}, "Mounts": []}])"};
    }
    if (words[1] == "exec") {
      if (process.input.find("pg_terminate_backend") != std::string::npos) {
        terminated = process.input;
        return {};
      }
      if (process.input.find("l.granted") != std::string::npos) {
        return {0, locked ? "1\ndrydock-next-query\n" : "drydock-next-query\n"};
      }
      for (const char* none : {"pg_stat_activity", "indisvalid"}) {
        if (process.input.find(none) != std::string::npos) return {0, "drydock-next-query\n"};
      }
      return {0, "1\n" + revision + "\ndrydock-next-query\n"};
    }
    if (words[1] == "compose" && has(words, "--services"))
      return {0, "api\n" + other_service + "\n"};
    if (words[1] == "compose" && has(words, "config")) {
      return {0, R"({"name": "sample", "services": {"api": {"image": "sample/api:2")" + service +
                     R"(}, ")" + other_service + R"(": {"image": "postgres:15"}}})"};
    }
    if (words[1] == "compose" && has(words, "run")) {
      if (has(words, "--entrypoint")) {
        ++asked;
        return heads;
      }
      migrated = process;
      return migrator;
    }
    if (words[1] == "image") {
      if (image_id.empty()) return {1, "\n", "Error: No such image: " + words.back() + "\n"};
      return {0, image_id + " /app\n" + entrypoint + "\n"};
    }
    if (words[1] == "create") {
      created.push_back(process);
      return create;
    }
    if (words[1] == "cp") {
      const std::string path =
          words[words.size() - 2].substr(words[words.size() - 2].find(':') + 1);
      copied.push_back(path);
      const std::string archive = tar_of(image, path);
      if (!archive.empty()) return {0, archive};
      return {
          1, "",
          "Error response from daemon: Could not find the file " + path + " in container abc\n"};
    }
    if (words[1] == "rm") {
      const bool is_leftover = words.back() + "\n" == leftover;
      (is_leftover ? ended : removed).push_back(words.back());
      if (is_leftover) leftover.clear();
    }
    return {};
  }
  // That which holds the lock: to the end of its input, or to the death of the step.
  Result idle_session(const std::string& fifo) {
    const detail::Descriptor input(::open(fifo.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    locked = true;
    for (std::string read; !dead;) {
      struct pollfd one = {input.fd, POLLIN, 0};
      if (::poll(&one, 1, 10) == 1 && !detail::read_some(input.fd, read)) break;
    }
    return {};
  }
  StepResult step(const std::string& name) {
    dead = locked = false;
    return host.perform<AlembicMigrate>(name);
  }
  static bool migrates(const Process& process) {
    return has(process.arguments, "run") && !has(process.arguments, "--entrypoint");
  }
  // The name that a `docker create` was given.
  static std::string name_of(const Process& process) {
    const auto option = std::find(process.arguments.begin(), process.arguments.end(), "--name");
    return option == process.arguments.end() ? "" : *(option + 1);
  }

  std::mutex one_at_a_time;
  FakeHost host;
  std::string revision = "one", leftover, terminated;
  std::string service;                       // more of the service's JSON
  std::string other_service = "db", health;  // of the database
  std::string image_id = "sha256:two";
  std::string entrypoint = "null";           // of the image, as JSON
  std::map<std::string, std::string> image;  // path -> content
  Result heads{0, "two (head)\n"}, migrator{0, "Running migrations\n"}, create{0, "abc\n"};
  Process migrated;
  std::vector<Process> created;
  std::vector<std::string> removed, copied;
  std::vector<std::string> ended;                 // of what an earlier attempt left
  int asked = 0;                                  // how often the image was started for its heads
  std::function<bool(const Process&)> killed_at;  // the command at which the worker is killed
  std::atomic<bool> dead{false}, locked{false};
};

}  // namespace drydock::testing
