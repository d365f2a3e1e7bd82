// Runs a short command for the runner's own needs and keeps what it printed. No shell.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace drydock {

struct CaptureRequest {
  std::vector<std::string> arguments;         // arguments[0] is looked up in PATH
  std::vector<std::string> environment = {};  // "NAME=value", the whole of it; {}: the runner's own
  std::string directory = {};                 // "": where the runner is
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  std::size_t limit = 4u << 20;  // of each of its two streams
  int cancel_fd = -1;            // ends it when readable
};

struct CapturedCommand {
  std::string not_started;  // why; else ""
  int code = -1;            // -1 when a signal ended it
  int signal = 0;
  bool timed_out = false, cancelled = false;
  bool cut = false;  // it printed more than the limit; the rest is lost
  std::string out, err;
  bool ok() const { return code == 0 && !timed_out && !cancelled && !cut; }
  // "exit code 1: <its last line of stderr>", "could not be started: ...", "ran longer than 60 s"
  std::string describe() const;
};

CapturedCommand capture_command(const CaptureRequest& request);

}  // namespace drydock
