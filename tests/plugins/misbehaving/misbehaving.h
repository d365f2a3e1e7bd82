// A stage that behaves well (it makes one file, and its rollback removes it) but in the step that
// its option `step` names. One plugin a fault, so that a scenario tells which one broke the runner.
#pragma once

#include <drydock/stage.hpp>
#include <filesystem>
#include <fstream>

// A fault has a name and act(): what happens in that step.
template <class Fault>
struct Misbehaving {
  static constexpr auto name = Fault::name;
  static constexpr auto summary = "Misbehave in one step";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "required": ["step"],
    "properties": {
      "step": {
        "enum": ["observe", "plan", "run", "verify", "rollback", "settle"],
        "description": "in which step"
      },
      "file": {"type": "string", "default": "made", "description": "which file to make"}
    }
  })";

  static void observe(drydock::Call& call) {
    call.fact("file", std::filesystem::exists(file(call)) ? "there" : "absent");
    misbehave(call);
  }
  static void plan(drydock::Call& call) {
    call.change({"file", "add", call.text("/file")});
    misbehave(call);
  }
  static void run(drydock::Call& call) {
    call.remember("file", call.text("/file"));
    std::ofstream(file(call)) << "made by " << name << "\n";
    misbehave(call);
  }
  static void verify(drydock::Call& call) { misbehave(call); }
  static void rollback(drydock::Call& call) {
    misbehave(call);
    if (call.recall("file")) std::filesystem::remove(file(call));
  }
  static void settle(drydock::Call& call) { misbehave(call); }

 private:
  static std::string file(const drydock::Call& call) { return call.deployment(call.text("/file")); }
  static void misbehave(drydock::Call& call) {
    if (call.step() == call.text("/step")) Fault::act(call);
  }
};
