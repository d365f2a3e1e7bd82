#include <drydock/stage.hpp>
#include <filesystem>
#include <fstream>

// Adds a file to the deployment, which is the working directory of every step.
struct @Type@ {
  static constexpr auto name = "@name@", summary = "Add the file @name@.txt", file = "@name@.txt";
  static constexpr auto options = R"({"type": "object", "additionalProperties": false, "properties": {
    "line": {"type": "string", "default": "hello", "description": "what the file is to say"}}})";

  static void observe(drydock::Call& call) { call.fact(file, exists() ? "there" : "absent"); }
  static void plan(drydock::Call& call) {
    if (!exists()) call.change({"file", "add", file, "", call.text("/line")});
  }
  static void run(drydock::Call& call) {
    if (exists() && !call.recall("made")) return;  // somebody else's
    call.remember("made", file);                   // on disk before anything changes
    std::ofstream(file) << call.text("/line") << "\n";
  }
  static void verify(drydock::Call&) {
    if (!exists()) throw drydock::Failed(std::string(file) + " is not there; is the disk full?");
  }
  static void rollback(drydock::Call& call) {
    if (call.recall("made")) std::filesystem::remove(file);
  }
  static bool exists() { return std::filesystem::exists(file); }
};
DRYDOCK_PLUGIN("org.example.@name@", "1.0.0", @Type@)
