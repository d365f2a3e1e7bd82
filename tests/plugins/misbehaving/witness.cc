// No fault at all: a stage that writes down which of its steps were performed, in the file
// `steps.log` of the deployment, and fails where it is asked to.
#include <algorithm>
#include <drydock/stage.hpp>
#include <fstream>

namespace {

struct Witness {
  static constexpr auto name = "witness";
  static constexpr auto summary = "Write down which steps were performed";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "fail": {
        "type": "array",
        "items": {"enum": ["observe", "plan", "run", "verify", "rollback", "settle"]},
        "default": [],
        "description": "in which steps to fail"
      }
    }
  })";

  static void observe(drydock::Call& call) { fail_if_asked(call); }
  static void plan(drydock::Call& call) {
    call.change({"file", "change", "steps.log"});
    fail_if_asked(call);
  }
  static void run(drydock::Call& call) { write_down(call); }
  static void verify(drydock::Call& call) { write_down(call); }
  static void rollback(drydock::Call& call) { write_down(call); }
  static void settle(drydock::Call& call) { write_down(call); }

 private:
  static void write_down(const drydock::Call& call) {
    std::ofstream(call.deployment("steps.log"), std::ios::app)
        << call.stage_id() << " " << call.step() << "\n";
    fail_if_asked(call);
  }
  static void fail_if_asked(const drydock::Call& call) {
    const std::vector<std::string> steps = call.texts("/fail");
    if (std::find(steps.begin(), steps.end(), call.step()) != steps.end()) {
      throw drydock::Failed("asked to fail in " + call.step());
    }
  }
};

}  // namespace

DRYDOCK_PLUGIN("test.witness", "1.0.0", Witness)
