// Errors that end a command, and the exit codes of every command.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace drydock {

// docs/operations.md says what to do after each.
enum class ExitCode {
  done = 0,          // also: nothing to do; rollback: rolled back and verified
  rolled_back = 1,   // failed after a change, rolled back and verified
  refused = 2,       // before any change: command line, file, plugin, preflight, stale plan
  needs_person = 3,  // failed and not wholly put back, or that could not be verified
  busy = 4,          // another run holds the lock, or an interrupted run waits
  check_found = 5,   // a check found something
  waits = 6,         // a rollout waits for approval
  cancelled = 130,   // cancelled, rolled back and verified
};

// Ends the command. The text is one sentence for the person who can fix it: place, both values,
// remedy; what it has no room for, each with both values as well, follows as `details`, a line
// each. Caught once, in main.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& sentence, ExitCode code = ExitCode::refused,
                 std::vector<std::string> details = {})
      : std::runtime_error(sentence), code_(code), details_(std::move(details)) {}
  ExitCode code() const { return code_; }
  const std::vector<std::string>& details() const { return details_; }

 private:
  ExitCode code_;
  std::vector<std::string> details_;
};

}  // namespace drydock
