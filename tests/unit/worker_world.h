// What the tests of the process boundary share: a listener that keeps what it hears, a folder.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "process_worker.h"

namespace drydock {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drydock-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct HeardEverything : StepListener {
  pid_t group = 0;
  std::uint64_t start_time = 0;
  std::vector<Step> begun;
  std::vector<std::string> lines, warnings;
  std::size_t bytes_logged = 0;
  int progress_count = 0, idle_count = 0;
  std::vector<Fact> facts;
  std::vector<PlannedChange> changes;
  std::vector<std::string> inputs;
  std::vector<Output> outputs;
  std::vector<Artifact> artifacts;
  std::vector<Note> notes;
  std::optional<std::string> refuse_notes;
  std::function<void(const std::string&)> on_line;

  void spawned(pid_t the_group, std::uint64_t time) override {
    group = the_group;
    start_time = time;
  }
  void step_begins(Step step) override { begun.push_back(step); }
  void log(LogLevel level, const std::string& text) override {
    bytes_logged += text.size();
    if (lines.size() < 10000) (level == LogLevel::warning ? warnings : lines).push_back(text);
    if (on_line) on_line(text);
  }
  void progress(std::uint64_t, std::uint64_t, const std::string&) override { ++progress_count; }
  void fact(const Fact& fact) override { facts.push_back(fact); }
  void change(const PlannedChange& change) override { changes.push_back(change); }
  void input(const std::string& path) override { inputs.push_back(path); }
  void output(const Output& output) override { outputs.push_back(output); }
  void artifact(const Artifact& artifact) override { artifacts.push_back(artifact); }
  std::optional<std::string> remember(const Note& note) override {
    if (!refuse_notes) notes.push_back(note);
    return refuse_notes;
  }
  void idle() override { ++idle_count; }

  bool heard(const std::string& line) const {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }
  std::string everything() const {
    std::string all;
    for (const auto& line : lines) all += line + "\n";
    for (const auto& line : warnings) all += "warning: " + line + "\n";
    return all;
  }
};

// Performs steps of the sample plugin; patience is short.
struct WorkerTest : testing::Test {
  TemporaryFolder folder;
  Cancellation cancellation;
  HeardEverything heard;
  WorkerPatience patience{std::chrono::milliseconds(300), std::chrono::milliseconds(200),
                          std::chrono::milliseconds(300), std::chrono::seconds(30)};

  StepRequest request(const std::string& what, std::vector<Step> steps = {Step::run}) const {
    StepRequest made;
    made.plugin_file = SAMPLE_PLUGIN;
    made.stage_type = "sample";
    made.stage_id = "sample";
    made.steps = std::move(steps);
    made.options = {{"do", what}};
    made.deployment_dir = folder.path();
    return made;
  }
  StepResult perform(const StepRequest& asked) {
    return ProcessWorker(DRYDOCK_STAGE, cancellation, patience).perform(asked, heard);
  }
  Done done(const StepResult& result) {
    const Done* answer = std::get_if<Done>(&result.outcome);
    EXPECT_NE(answer, nullptr) << describe(result.outcome) << "\n" << heard.everything();
    return answer == nullptr ? Done{Status::bug, "no answer"} : *answer;
  }
  Crashed crashed(const StepResult& result) {
    const Crashed* crash = std::get_if<Crashed>(&result.outcome);
    EXPECT_NE(crash, nullptr) << describe(result.outcome);
    return crash == nullptr ? Crashed{-1, "it did not crash"} : *crash;
  }
};

}  // namespace drydock
