// drydock/stage_types.hpp: what a step hands to its Call, gets back and throws. Plain values, for
// stage.hpp, which includes this.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// The step failed. The sentence is for the person who can fix it: place, both values, remedy.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The options contradict each other or the deployment. Nothing was changed.
struct BadOptions : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// plan: depends on something that is not known yet. The text completes "known ...": "after pull".
struct Unknown : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The run is being cancelled. Thrown by the Call; a step only cleans up and lets it pass. It is a
// std::exception: where a step catches those, it catches this first and throws it again.
struct Cancelled : std::exception {
  const char* what() const noexcept override { return "cancelled"; }
};

// One change that run would make. what: file variable image service database revision command
// request rollback; action: add change remove keep start stop retire pull save run check lose.
struct Change {
  std::string what;
  std::string action;
  std::string name;
  std::string before = {};
  std::string after = {};
  std::string detail = {};
  std::int64_t disk_bytes = 0;      // -1: not known
  std::string rollback_loses = {};  // what a rollback would lose; empty: nothing
};

enum class Stream { out = 1, err = 2 };

// A command: an argument vector, never a shell line. See drydock_process for what the child gets.
struct Process {
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {};  // "NAME=value"
  std::string directory = {};                 // empty: the deployment
  std::string input = {};
  std::string input_file = {};           // instead of input
  std::string output_file = {};          // gets standard output instead of on_line; 0600
  std::chrono::milliseconds timeout{0};  // 0: until the step's deadline
  // Empty: lines are logged. What it throws ends the command, and comes out of Call::run().
  std::function<void(Stream, std::string_view)> on_line = {};
};

struct Exit {
  int code = 0;    // -1 when a signal ended it
  int signal = 0;  // or 0
  bool timed_out = false;
  bool ok() const { return code == 0 && !timed_out; }
  // "exit code 3", "signal 9", "timed out"
  std::string describe() const {
    if (timed_out) return "timed out";
    return code >= 0 ? "exit code " + std::to_string(code) : "signal " + std::to_string(signal);
  }
};

// What a command printed, when a step wants to read it.
struct Captured {
  Exit exit;
  std::string out;
  std::string err;
};

}  // namespace drydock
