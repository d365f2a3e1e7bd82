#include "plugin_check_trial.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "deployment.h"
#include "state_dir.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_look{10}, longest_run{20};
// Hears one perform(), keeps what was told, and interferes.
class Ear : public StepListener {
 public:
  Ear(Trial& trial, Step first, const Trial::Interference& interference, Cancellation& cancellation)
      : trial_(trial),
        interference_(interference),
        cancellation_(cancellation),
        step_(name_of(first)) {}

  void spawned(pid_t group, std::uint64_t) override { group_ = group; }
  void step_begins(Step step) override {
    step_ = std::string(name_of(step));
    if (step == Step::observe) trial_.facts.clear();
    if (interference_.cancel_at_once) cancel();
  }
  void log(LogLevel, const std::string& text) override { tell("a log line", text); }
  void progress(std::uint64_t, std::uint64_t, const std::string& unit) override {
    tell("the unit of its progress", unit);
  }
  void fact(const Fact& fact) override {
    trial_.facts.push_back(fact);
    tell("the name of a fact", fact.name);
    if (!fact.secret) tell("the fact '" + fact.name + "'", fact.value);
  }
  void change(const PlannedChange& change) override {
    for (const std::string* text :
         {&change.name, &change.before, &change.after, &change.detail, &change.rollback_loses}) {
      tell("a planned change", *text);
    }
  }
  void input(const std::string& path) override { tell("an input", path); }
  void output(const Output& output) override {
    if (!output.secret) tell("the output '" + output.name + "'", output.value);
  }
  void artifact(const Artifact& artifact) override {
    tell("an artifact", artifact.name + " " + artifact.path + " " + artifact.description);
  }
  std::optional<std::string> remember(const Note& note) override {
    tell("the note '" + note.key + "'", note.key + " " + note.value);
    const bool dies = ++trial_.remembered == interference_.kill_at_note;
    if (!dies || interference_.note_is_durable) keep(note);
    if (dies) {
      trial_.killed = true;
      ::kill(-group_, SIGKILL);
    }
    if (trial_.remembered == interference_.cancel_at_note) cancel();
    return std::nullopt;
  }
  void idle() override {
    if (interference_.cancel_after.count() != 0 &&
        Clock::now() - began_ >= interference_.cancel_after) {
      cancel();
    }
  }

  void ended(const StepResult& result) {
    trial_.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
    if (cancelled_at_ != Clock::time_point()) {
      trial_.since_cancel =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - cancelled_at_);
    }
    if (!result.ok()) tell("the reason", describe(result.outcome));
  }

 private:
  void tell(const std::string& where, const std::string& text) {
    trial_.told.emplace_back(where + " of " + step_, text);
  }
  void keep(const Note& note) {
    const auto known = std::find_if(trial_.notes.begin(), trial_.notes.end(),
                                    [&](const Note& each) { return each.key == note.key; });
    if (known == trial_.notes.end()) {
      trial_.notes.push_back(note);
    } else {
      known->value = note.value;
    }
  }
  void cancel() {
    if (cancelled_at_ != Clock::time_point()) return;
    cancelled_at_ = Clock::now();
    cancellation_.request();
  }

  Trial& trial_;
  const Trial::Interference& interference_;
  Cancellation& cancellation_;
  pid_t group_ = 0;
  std::string step_;  // what it prints may come before it is known to have begun
  const Clock::time_point began_ = Clock::now();
  Clock::time_point cancelled_at_;
};

}  // namespace

Trial::Trial(const CheckBench& bench, const CheckedStage& stage)
    : options(stage.options), secrets(stage.secrets), bench_(bench), stage_(stage) {
  deployment_.dir = temporary_.path() + "/deployment";
  deployment_.state_dir = temporary_.path() + "/state";
  for (const char* folder : {"/deployment", "/state", "/private", "/planned", "/planning"}) {
    make_private_dir(temporary_.path() + folder);
  }
  const std::string& example = bench.settings().deployment;
  if (!example.empty()) {
    copy_example(example, deployment_.dir);
    // A project of its own: that of the example may be running.
    DeploymentSpec spec;
    spec.project = "drydock-check-" + fs::path(temporary_.path()).filename().string().substr(8);
    for (char& c : *spec.project) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    deployment_.compose =
        find_compose_project(spec, deployment_.dir, evaluate_dot_env(deployment_.dir + "/.env"));
  }
  before_ = state_of_folder(deployment_.dir);
}

Trial::~Trial() {
  if (is_undone_) return;
  try {
    StepResult result = perform_now({Step::rollback}, {});
    if (result.ok()) result = perform_now({Step::settle}, {});
    if (!result.ok()) {
      bench_.leave_behind("What the run of '" + stage_.name() +
                          "' did outside of the check's own folders may still be there: " +
                          full_stop(how_it_ended(result)));
    }
  } catch (const std::exception& error) {
    bench_.leave_behind("What the run of '" + stage_.name() +
                        "' did could not be rolled back: " + full_stop(error.what()));
  }
}

StepResult Trial::perform(const std::vector<Step>& steps, const Interference& interference) {
  if (bench_.settings().stop.requested()) throw Interrupted{};
  StepResult result = perform_now(steps, interference);
  if (bench_.settings().stop.requested()) throw Interrupted{};
  return result;
}

StepResult Trial::perform_now(const std::vector<Step>& steps, const Interference& interference) {
  const bool runs = steps.front() == Step::run, rolls_back = steps.front() == Step::rollback;
  if (runs) is_undone_ = is_rolled_back_ = false;
  const auto tell_whether_undone = [&](const StepResult& result) {
    if (rolls_back) is_rolled_back_ = result.ok();
    if (steps.front() == Step::settle) is_undone_ = is_rolled_back_ && result.ok();
  };
  StepRequest request = request_for(deployment_);
  request.plugin_file = stage_.type.plugin_file;
  request.stage_type = request.stage_id = stage_.name();
  for (const Step step : steps) {
    if (stage_.type.has(step, options)) request.steps.push_back(step);
  }
  if (request.steps.empty()) {
    const StepResult nothing{steps.back(), Done{}};
    tell_whether_undone(nothing);
    return nothing;
  }
  const Step first = request.steps.front();
  const bool looks = first == Step::observe || first == Step::plan;
  request.options = options;
  request.secrets = secrets;
  request.private_dir = temporary_.path() + "/private";
  if (looks) {
    request.planned_dir = temporary_.path() + "/planned";
    request.planning_dir = temporary_.path() + "/planning";
  } else {
    request.run_id = 1;
    request.run_label = run_label(deployment_, 1);
    request.interrupted = interrupted_;
  }
  request.notes = notes;
  request.timeout = looks ? longest_look : longest_run;
  // As in a run: once it goes back it goes back.
  request.cancellable = first != Step::rollback && first != Step::settle;

  remembered = 0;
  killed = false;
  Cancellation cancellation(&bench_.settings().stop);
  ProcessWorker worker(bench_.settings().stage_binary, cancellation, check_patience());
  Ear ear(*this, first, interference, cancellation);
  StepResult result = worker.perform(request, ear);
  ear.ended(result);
  interrupted_ = interrupted_ || killed;
  tell_whether_undone(result);
  return result;
}

bool has_status(const StepResult& result, Status status) {
  const Done* done = std::get_if<Done>(&result.outcome);
  return done != nullptr && done->status == status;
}

bool is_well(const StepResult& result) {
  return result.ok() || has_status(result, Status::unknown);
}

// As the WireErrors of core/wire.cc and core/conversation.cc have it, and as a worker leaves whose
// connection is gone.
std::string what_broke_the_wire(const StepResult& result) {
  const auto* crashed = std::get_if<Crashed>(&result.outcome);
  if (crashed == nullptr || crashed->signal != 0) return "";
  if (crashed->detail.rfind("exited with code 125 ", 0) == 0) return "closed its connection";
  const bool broke =
      crashed->detail.rfind("sent ", 0) == 0 || crashed->detail.rfind("closed ", 0) == 0;
  return broke ? crashed->detail : "";
}

std::string why_not_tried(const CheckBench& bench, CheckedStage& stage) {
  if (!stage.unusable.empty()) return full_stop("Not tried: " + stage.unusable);
  if (!stage.hangs) {
    const StepResult result = Trial(bench, stage).perform({Step::observe, Step::plan});
    stage.hangs = std::holds_alternative<TimedOut>(result.outcome) ? how_it_ended(result) : "";
  }
  return stage.hangs->empty() ? "" : "Not tried: see 'steps'.";
}

std::string why_no_run(const CheckBench& bench, CheckedStage& stage) {
  if (const std::string why = why_not_tried(bench, stage); !why.empty()) return why;
  if (bench.settings().without_run) return "Not tried: its run is left out (--without-run).";
  if (!stage.run_fails) {
    Trial trial(bench, stage);
    StepResult result = trial.perform({Step::observe, Step::plan});
    if (is_well(result)) result = trial.perform({Step::run});
    stage.run_fails = is_well(result) ? "" : how_it_ended(result);
  }
  if (stage.run_fails->empty()) return "";
  return "Not tried: see 'steps'.";
}

std::string how_it_ended(const StepResult& result) {
  const std::string step = "Its step " + std::string(name_of(result.last));
  const Done* done = std::get_if<Done>(&result.outcome);
  if (done == nullptr) return step + " " + describe(result.outcome);
  const std::string reason = done->reason.empty() ? "without a reason" : "(" + done->reason + ")";
  switch (done->status) {
    case Status::ok:
      return step + " ended well";
    case Status::failed:
      return step + " failed " + reason;
    case Status::bad_options:
      return step + " refused its options " + reason;
    case Status::cancelled:
      return step + " was cancelled " + reason;
    case Status::unknown:
      return step + " does not know yet " + reason;
    case Status::no_memory:
      return step + " ran out of memory";
    case Status::bug:
      break;
  }
  return step + " broke a rule " + reason;
}

}  // namespace drydock
