// Containers whose stop was cut off: the engine goes on with it, and they look as if they ran.
#include "compose_stops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "compose_stop_stage.h"
#include "drydock/testing.hpp"

namespace drydock::testing {
namespace {

// An engine with the containers web and api.
struct Engine {
  explicit Engine(FakeHost& of) : host(of) {
    host.project = "p";
    host.option("/services", {"web", "api"});
    host.option("/wait", std::chrono::milliseconds(60000));
    host.on_process([this](const Process& process) { return answer(process.arguments); });
  }
  Result answer(const std::vector<std::string>& command) {
    if (command.at(1) == "compose") {
      return {0,
              R"({"name": "p", "services": {"api": {"image": "x:1"}, "web": {"image": "x:1"}}})"};
    }
    if (command.at(1) == "ps") return {0, "web\napi\n"};
    if (command.at(1) == "inspect") return {0, inspected(command)};
    if (command.at(1) == "stop" || command.at(1) == "start") {
      for (const std::string& word : command) {
        if (states.count(word) != 0) commands.push_back(command.at(1) + " " + word);
      }
    }
    if (command.at(1) == "stop" && cut_off) {
      host.cancel();
      return {143};
    }
    for (auto& [id, state] : states) {
      const bool named = std::find(command.begin(), command.end(), id) != command.end();
      if (named && command.at(1) == "stop") state = "exited";
      if (named && command.at(1) == "start") state = "running";
    }
    return {};
  }
  std::string inspected(const std::vector<std::string>& command) const {
    std::string list;
    for (const auto& [id, state] : states) {
      if (std::find(command.begin(), command.end(), id) == command.end()) continue;
      list += (list.empty() ? "" : ",") + (R"({"Id": ")" + id + R"(", "Name": "/p-)" + id) +
              R"(-1", "Config": {"Image": "x:1", "Labels": {"com.docker.compose.project": "p",
                 "com.docker.compose.service": ")" +
              id + R"(", "com.docker.compose.container-number": "1",
                 "com.docker.compose.project.working_dir": ")" +
              host.deployment_dir() + R"("}}, "State": {"Status": ")" + state + R"("},
                 "HostConfig": {"RestartPolicy": {"Name": "no"}}})";
    }
    return "[" + list + "]";
  }

  FakeHost& host;
  std::map<std::string, std::string> states = {{"api", "running"}, {"web", "running"}};
  bool cut_off = false;
  std::vector<std::string> commands;
};

TEST(ComposeStops, WhatWasCutOffIsStoppedForCertainBeforeItIsStarted) {
  FakeHost host;
  Engine engine(host);
  engine.cut_off = true;
  EXPECT_EQ(host.perform<ComposeStop>("run").status, DRYDOCK_CANCELLED);
  engine.cut_off = false;
  engine.commands.clear();
  const StepResult settled = host.perform<ComposeStop>("settle");
  EXPECT_TRUE(settled.ok()) << settled.failure;
  EXPECT_EQ(engine.commands,
            (std::vector<std::string>{"stop api", "stop web", "start api", "start web"}));
  EXPECT_NE(host.log_text().find("waiting until they are: p-api-1, p-web-1"), std::string::npos)
      << host.log_text();
  engine.commands.clear();
  EXPECT_TRUE(host.perform<ComposeStop>("settle").ok());
  EXPECT_TRUE(engine.commands.empty()) << "a repeated settle changes nothing more";
}

TEST(ComposeStops, ARepeatedRunThatFindsAllStoppedLeavesNothingToEnd) {
  FakeHost host;
  Engine engine(host);
  engine.cut_off = true;
  EXPECT_EQ(host.perform<ComposeStop>("run").status, DRYDOCK_CANCELLED);
  engine.cut_off = false;
  for (auto& [id, state] : engine.states) state = "exited";
  EXPECT_TRUE(host.perform<ComposeStop>("run").ok());
  EXPECT_EQ(host.note("stopping"), "");
  for (auto& [id, state] : engine.states) state = "running";
  engine.commands.clear();
  EXPECT_TRUE(host.perform<ComposeStop>("settle").ok());
  EXPECT_TRUE(engine.commands.empty()) << engine.commands.front();
}

TEST(ComposeStops, WhatWasStoppedWholeIsOnlyStarted) {
  FakeHost host;
  Engine engine(host);
  EXPECT_TRUE(host.perform<ComposeStop>("run").ok());
  engine.commands.clear();
  EXPECT_TRUE(host.perform<ComposeStop>("settle").ok());
  EXPECT_EQ(engine.commands, (std::vector<std::string>{"start api", "start web"}));
}

}  // namespace
}  // namespace drydock::testing
