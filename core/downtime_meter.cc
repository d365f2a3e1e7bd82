#include "downtime_meter.h"

#include <exception>

namespace drydock {

using nlohmann::json;

// Of all that a step may tell, what it puts out is what counts here.
class DowntimeMeter::Listener : public StepListener {
 public:
  explicit Listener(DowntimeMeter& meter) : meter_(meter) {}

  void output(const Output& output) override {
    const std::lock_guard lock(meter_.heard_);
    if (output.name == "outage") {
      if (const auto outage = read_outage(output.value))
        meter_.downtime_.outages.push_back(*outage);
    } else if (output.name == "requests") {
      meter_.counted_ = read_requests(output.value, meter_.downtime_);
    }
  }
  std::optional<std::string> remember(const Note&) override {
    return "a probe changes nothing, so that it has nothing to remember";
  }
  void spawned(pid_t, std::uint64_t) override {}
  void step_begins(Step) override {}
  void log(LogLevel, const std::string&) override {}
  void progress(std::uint64_t, std::uint64_t, const std::string&) override {}
  void fact(const Fact&) override {}
  void change(const PlannedChange&) override {}
  void input(const std::string&) override {}
  void artifact(const Artifact&) override {}
  void idle() override {}

 private:
  DowntimeMeter& meter_;
};

DowntimeMeter::DowntimeMeter(Session& session, const PlannedStage& probe, std::uint64_t run)
    : session_(session) {
  StepRequest request = request_for(session.deployment);
  address(request, probe);
  request.steps = {Step::run};
  request.run_id = run;
  thread_ = std::thread([this, request = std::move(request)] {
    Listener listener(*this);
    StepResult result;
    try {
      // It dies with this thread, which starts it.
      result = session_.new_worker(stop_)->perform(request, listener);
    } catch (const std::exception& e) {
      result = {Step::run, Done{Status::failed, e.what()}};
    }
    const std::lock_guard lock(heard_);
    result_ = std::move(result);
  });
  session.events.add(*this);
}

DowntimeMeter::~DowntimeMeter() { end(); }

void DowntimeMeter::end() {
  if (!thread_.joinable()) return;
  stop_.request();
  thread_.join();
  session_.events.remove(*this);
}

json DowntimeMeter::finish() {
  end();
  if (counted_) return to_json(downtime_, busy_);
  session_.events.emit("warning", {{"text",
                                    "probe: how long the application was unreachable could "
                                    "not be measured: " +
                                        describe(result_.outcome)}});
  return nullptr;
}

void DowntimeMeter::event(const Event& event) {
  if (event.step != "run" && event.step != "verify" && event.step != "rollback" &&
      event.step != "settle") {
    return;
  }
  if (event.type == "step.started") {
    busy_.push_back({event.stage, event.step, monotonic_now(), MonotonicTime::max()});
  } else if (event.type == "step.finished") {
    for (auto each = busy_.rbegin(); each != busy_.rend(); ++each) {
      if (each->stage != event.stage || each->step != event.step) continue;
      each->until = monotonic_now();
      break;
    }
  }
}

}  // namespace drydock
