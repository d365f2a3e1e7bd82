// Performing a step that is no part of a run: nothing of it is journaled.
#pragma once

#include <string>
#include <vector>

#include "secrets.h"
#include "worker.h"

namespace drydock {

class QuietListener : public StepListener {
 public:
  explicit QuietListener(const Masker& masker) : masker_(masker) {}
  void log(LogLevel, const std::string& text) override { said.push_back(masker_.mask(text)); }
  void spawned(pid_t, std::uint64_t) override {}
  void step_begins(Step) override {}
  void progress(std::uint64_t, std::uint64_t, const std::string&) override {}
  void fact(const Fact&) override {}
  void change(const PlannedChange&) override {}
  void input(const std::string&) override {}
  void output(const Output&) override {}
  void artifact(const Artifact&) override {}
  std::optional<std::string> remember(const Note&) override {
    return "this is no part of a run, so that there is nothing to remember";
  }
  void idle() override {}

  std::vector<std::string> said;

 private:
  const Masker& masker_;
};

}  // namespace drydock
