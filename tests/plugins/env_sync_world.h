// The stage env-sync on a deployment of its own, with the defaults of its schema, and the real
// templates of Dify.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <drydock/testing.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base.h"
#include "env_file.h"
#include "env_sync_stage.h"
#include "file_store.h"

namespace drydock::env_sync {

inline std::string shared_data() {
  const char* given = std::getenv("DRYDOCK_SHARED_DATA");
  return given != nullptr ? given : DRYDOCK_SOURCE_DIR "/../shared/data";
}

class EnvSyncStage : public ::testing::Test {
 protected:
  EnvSyncStage() {
    const auto schema = nlohmann::json::parse(EnvSync::options);
    for (const auto& [name, option] : schema["properties"].items()) {
      if (option.contains("default")) set("/" + name, option["default"]);
    }
  }
  void set(const std::string& pointer, const nlohmann::json& value) {
    if (value.is_array()) {
      host.option(pointer, std::vector<std::string>());
      for (std::size_t i = 0; i < value.size(); ++i) {
        set(pointer + "/" + std::to_string(i), value[i]);
      }
    } else if (value.is_object()) {
      host.option(pointer, testing::Option::object());
      for (const auto& [key, member] : value.items()) set(Call::member(pointer, key), member);
    } else {
      host.option(pointer, value.get<std::string>());
    }
  }
  testing::StepResult step(const std::string& name) { return host.perform<EnvSync>(name); }
  // The sentence of plan and of run, which must be the same refusal.
  std::string refusal() {
    const auto planned = step("plan");
    EXPECT_FALSE(planned.ok());
    const auto ran = step("run");
    EXPECT_FALSE(ran.ok());
    EXPECT_EQ(planned.failure, ran.failure);
    host.notes.clear();
    return planned.failure;
  }
  std::string run() {
    const auto ran = step("run");
    EXPECT_TRUE(ran.ok()) << ran.failure;
    const auto verified = step("verify");
    EXPECT_TRUE(verified.ok()) << verified.failure;
    host.notes.clear();
    return host.read(".env");
  }
  void base(const std::string& text) {
    std::ofstream(host.snapshot_dir() + "/.env.example", std::ios::binary) << text;
  }
  // The next plan belongs to another planning.
  void forget_answers() const {
    for (const auto& left : std::filesystem::directory_iterator(host.planning_dir())) {
      std::filesystem::remove_all(left);
    }
  }
  std::string at(const std::string& path) const { return host.deployment_dir() + "/" + path; }
  const Change* change(const std::string& name) const {
    for (const Change& each : host.changes) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }
  std::string detail(const std::string& name) const {
    const Change* found = change(name);
    return found == nullptr ? "(no change of " + name + ")" : found->detail;
  }
  testing::FakeHost host;
};

class Dify : public EnvSyncStage {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(shared_data() + "/dify")) {
      GTEST_SKIP() << "no dify in " << shared_data();
    }
  }
  static std::string of_release(const std::string& tag) {
    return files::read(shared_data() + "/dify/" + tag + "/.env.example");
  }
  static std::string edit(std::string text, const std::string& key, const std::string& value) {
    const std::size_t at = text.find("\n" + key + "=") + 1;
    if (at == 0) throw std::runtime_error("the template has no " + key);
    return text.replace(at, text.find('\n', at) - at, key + "=" + value);
  }
};

}  // namespace drydock::env_sync
