// One deployment of its own in which steps of a stage are tried: a copy of an example, or an empty
// folder. Nothing outside of it is touched by Drydock; what a plugin does is its own affair.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "deployment.h"
#include "plugin_check_bench.h"
#include "plugin_check_folder.h"
#include "temporary_dir.h"

namespace drydock {

// What changes nothing.
inline const std::vector<Step> looks = {Step::observe, Step::plan};

class Trial {
 public:
  Trial(const CheckBench& bench, const CheckedStage& stage);
  // What its run started is rolled back and settled, if it is not yet.
  ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  // What is done to the worker while it performs.
  struct Interference {
    int kill_at_note = 0;         // from 1: when it is about to remember, or right after
    bool note_is_durable = true;  // after
    bool cancel_at_once = false;  // when the step begins
    int cancel_at_note = 0;       // from 1: when it remembers that one
    std::chrono::milliseconds cancel_after{0};  // since the step began; 0: never
  };
  // Performs those of the steps that the stage type has, in a worker of its own. Throws Interrupted
  // where the whole check is to stop.
  StepResult perform(const std::vector<Step>& steps, const Interference& interference);
  StepResult perform(const std::vector<Step>& steps) { return perform(steps, {}); }

  nlohmann::json options;  // of the stage, unless they are changed
  std::map<std::string, std::string> secrets;

  std::vector<Fact> facts;                    // of the last observe
  std::vector<Note> notes;                    // so far, by key
  int remembered = 0;                         // by the last perform()
  bool killed = false;                        // by the interference of the last perform()
  std::chrono::milliseconds took{0};          // the last perform()
  std::chrono::milliseconds since_cancel{0};  // until the last perform() ended
  // What everybody may read: where it stood ("a log line of run"), and the text.
  std::vector<std::pair<std::string, std::string>> told;

  // How the deployment differs from how it was when this was made, or at the last look_again().
  std::string changed() const { return difference(before_, state_of_folder(deployment_.dir)); }
  void look_again() { before_ = state_of_folder(deployment_.dir); }

 private:
  StepResult perform_now(const std::vector<Step>& steps, const Interference& interference);

  const CheckBench& bench_;
  const CheckedStage& stage_;
  TemporaryDir temporary_;
  Deployment deployment_;
  FolderState before_;
  bool interrupted_ = false;  // its run was killed
  // run began, and since then rollback has not ended well, or settle after it has not.
  bool is_undone_ = true, is_rolled_back_ = true;
};

// Somebody ended the whole check.
struct Interrupted {};

// "Its step run crashed (SIGSEGV)".
std::string how_it_ended(const StepResult& result);
bool has_status(const StepResult& result, Status status);
// Ok, or a plan that does not know yet.
bool is_well(const StepResult& result);
// What it did to the wire between worker and runner, "sent a frame of 2 GiB"; "": nothing.
std::string what_broke_the_wire(const StepResult& result);

// Why the steps of a stage cannot be tried, as a sentence; "": they can.
std::string why_not_tried(const CheckBench& bench, CheckedStage& stage);
// The same for what needs a run that succeeds.
std::string why_no_run(const CheckBench& bench, CheckedStage& stage);

}  // namespace drydock
