#include "step_performer.h"

#include <exception>
#include <optional>

#include "error.h"
#include "process.h"

namespace drydock {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

class Recorder : public StepListener {
 public:
  Recorder(const StepRequest& request, const StageIdentity& stage, Events& events, Masker& masker,
           const StateDir& state, Journal* journal, const std::function<void()>& look,
           StepReport& report)
      : request_(request),
        stage_(stage),
        events_(events),
        masker_(masker),
        state_(state),
        journal_(journal),
        look_(look),
        report_(report) {}

  void spawned(pid_t group, std::uint64_t start_time) override {
    const Step step = request_.steps.front();
    if (step == Step::observe || step == Step::plan) return;
    journal_->begin_step(request_.run_id, stage_.position, step, request_.attempt,
                         {group, start_time, boot_id()});
  }

  void step_begins(Step step) override {
    if (step_) finish_step("ok", "");
    step_ = step;
    began_ = Clock::now();
    emit("step.started", {{"name", stage_.name},
                          {"uses", stage_.uses},
                          {"index", stage_.index},
                          {"count", stage_.count},
                          {"attempt", request_.attempt}});
  }

  void log(LogLevel level, const std::string& text) override {
    emit("log", {{"level", name_of(level)}, {"text", text}});
  }

  void progress(std::uint64_t done, std::uint64_t total, const std::string& unit) override {
    emit("progress", {{"done", done}, {"total", total}, {"unit", unit}});
  }

  void fact(const Fact& fact) override {
    Fact kept = fact;
    kept.value = fact.secret ? state_.fingerprint(fact.value) : masker_.mask(fact.value);
    report_.facts.push_back(kept);
  }

  void change(const PlannedChange& change) override { report_.changes.push_back(change); }

  void input(const std::string& path) override { report_.inputs.push_back(path); }

  // What holds a known secret is one, whatever the stage says of it.
  void output(const Output& reported) override {
    Output output = reported;
    output.secret = output.secret || masker_.contains_secret(output.value);
    if (output.secret) masker_.add(output.name, output.value);
    report_.outputs.push_back(output);
    json data = {{"name", output.name}, {"value", output.secret ? "***" : output.value}};
    if (output.promote && !output.secret) data["promote"] = true;
    emit("output", std::move(data));
  }

  void artifact(const Artifact& artifact) override {
    report_.artifacts.push_back(artifact);
    emit("artifact",
         {{"name", artifact.name}, {"path", artifact.path}, {"description", artifact.description}});
  }

  std::optional<std::string> remember(const Note& note) override {
    if (masker_.contains_secret(note.value) || masker_.contains_secret(note.key)) {
      return "the note '" + masker_.mask(note.key) +
             "' holds a known secret; keep it in a file of the private directory";
    }
    try {
      journal_->remember(request_.run_id, stage_.position, note);
      return std::nullopt;
    } catch (const Error& e) {
      return e.what();  // a full disk must stop the step before it changes anything
    }
  }

  void idle() override {
    events_.idle();
    if (look_) look_();
  }

  void finish_step(const std::string& status, const std::string& reason) {
    if (!step_) return;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_);
    emit("step.finished", {{"status", status}, {"reason", reason}, {"duration_ms", took.count()}});
  }

 private:
  void emit(const std::string& type, json data) {
    const Step step = step_.value_or(request_.steps.front());
    events_.emit(type, std::move(data), stage_.key, std::string(drydock::name_of(step)));
  }

  const StepRequest& request_;
  const StageIdentity& stage_;
  Events& events_;
  Masker& masker_;
  const StateDir& state_;
  Journal* journal_;
  const std::function<void()>& look_;
  StepReport& report_;
  std::optional<Step> step_;
  Clock::time_point began_;
};

}  // namespace

std::string status_name(const Outcome& outcome) {
  struct Name {
    std::string operator()(const Done& done) const {
      constexpr std::array<const char*, 7> names = {"ok",  "failed",  "bad_options", "cancelled",
                                                    "bug", "unknown", "no_memory"};
      return names[static_cast<std::size_t>(done.status)];
    }
    std::string operator()(const Crashed&) const { return "crashed"; }
    std::string operator()(const TimedOut&) const { return "timed_out"; }
    std::string operator()(const WontLoad&) const { return "wont_load"; }
  };
  return std::visit(Name{}, outcome);
}

StepReport StepPerformer::perform(const StepRequest& request, const StageIdentity& stage) {
  // Also what was typed into the pipeline itself; by the name that programs print it under.
  for (const auto& [pointer, secret] : request.secrets) {
    masker_.add(pointer.substr(pointer.rfind('/') + 1), secret);
  }
  StepReport report;
  Recorder recorder(request, stage, events_, masker_, state_, journal_, look_, report);
  report.result = worker_.perform(request, recorder);
  const std::string status = status_name(report.result.outcome);
  recorder.finish_step(status, report.ok() ? "" : describe(report.result.outcome));
  return report;
}

}  // namespace drydock
