// Which plugin file undoes a stage when the journaled one is gone, moved or another version.
#include "rollback_plugin.h"

#include "error.h"
#include "files.h"
#include "plugin_file.h"
#include "worker_world.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

struct RollbackPluginTest : WorkerTest {
  RollbackPluginTest() {
    const ProbeResult probed = worker.probe(PluginFile(SAMPLE_PLUGIN).identity());
    const auto& description = std::get<PluginDescription>(probed);
    stage.uses = "sample";
    stage.plugin_id = description.id;
    stage.plugin_version = description.version;
    stage.plugin_sha256 = sha256_of_file(SAMPLE_PLUGIN);
    stage.notes_version = description.stages.front().notes_version;
    fs::create_directories(folder / "old");
    fs::create_directories(folder / "new");
  }
  std::string plugin_in(const std::string& place) {
    const std::string file = folder / (place + "/sample.so");
    fs::copy_file(SAMPLE_PLUGIN, file);
    return file;
  }
  std::string file_for() { return RollbackPlugins({folder / "new"}, worker).file_for(stage).path; }
  std::string refusal() {
    try {
      return "accepted " + file_for();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::needs_person);
      return e.what();
    }
  }

  ProcessWorker worker{DRYDOCK_STAGE, cancellation, patience};
  StageRecord stage;
};

TEST_F(RollbackPluginTest, TheFileOfTheRunWhenItIsUnchanged) {
  stage.plugin_file = plugin_in("old");
  plugin_in("new");
  stage.notes_version = 99;  // not even asked
  EXPECT_EQ(file_for(), stage.plugin_file);
}

TEST_F(RollbackPluginTest, AMovedInstallationIsFound) {
  stage.plugin_file = folder / "old/sample.so";
  const std::string moved = plugin_in("new");
  EXPECT_EQ(file_for(), moved);
}

TEST_F(RollbackPluginTest, AnotherBuildWithTheSameNotesIsAccepted) {
  stage.plugin_file = plugin_in("old");
  stage.plugin_sha256 = std::string(64, '0');
  EXPECT_EQ(file_for(), stage.plugin_file);
}

TEST_F(RollbackPluginTest, OtherNotesAreRefusedWithTheFileAndBothVersions) {
  stage.plugin_file = plugin_in("old");
  stage.plugin_sha256 = std::string(64, '0');
  stage.notes_version += 7;
  const std::string said = refusal();
  EXPECT_NE(said.find(stage.plugin_file + " (version "), std::string::npos) << said;
  EXPECT_NE(said.find("wrote version " + std::to_string(stage.notes_version)), std::string::npos);
  EXPECT_NE(said.find(folder / "new/sample.so is not there any more"), std::string::npos) << said;
}

TEST_F(RollbackPluginTest, AnotherPluginOfThatNameIsRefused) {
  stage.plugin_file = plugin_in("old");
  stage.plugin_sha256 = std::string(64, '0');
  stage.plugin_id = "somebody.else";
  EXPECT_NE(refusal().find("and the run used somebody.else"), std::string::npos) << refusal();
}

TEST_F(RollbackPluginTest, WhatEverybodyCanWriteIsRefused) {
  stage.plugin_file = plugin_in("old");
  stage.plugin_sha256 = std::string(64, '0');
  fs::permissions(stage.plugin_file, fs::perms::others_write, fs::perm_options::add);
  EXPECT_NE(refusal().find("is writable by everybody"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace drydock
