#include "turn.h"

namespace drydock {
namespace {

class TurnListener : public StepListener {
  template <class Report>
  auto in_turn(Report report) {
    const std::lock_guard held(turn_);
    return report();
  }

 public:
  TurnListener(StepListener& listener, Turn& turn) : listener_(listener), turn_(turn) {}

  void spawned(pid_t group, std::uint64_t start_time) override {
    in_turn([&] { listener_.spawned(group, start_time); });
  }
  void step_begins(Step step) override {
    in_turn([&] { listener_.step_begins(step); });
  }
  void log(LogLevel level, const std::string& text) override {
    in_turn([&] { listener_.log(level, text); });
  }
  void progress(std::uint64_t done, std::uint64_t total, const std::string& unit) override {
    in_turn([&] { listener_.progress(done, total, unit); });
  }
  void fact(const Fact& fact) override {
    in_turn([&] { listener_.fact(fact); });
  }
  void change(const PlannedChange& change) override {
    in_turn([&] { listener_.change(change); });
  }
  void input(const std::string& path) override {
    in_turn([&] { listener_.input(path); });
  }
  void output(const Output& output) override {
    in_turn([&] { listener_.output(output); });
  }
  void artifact(const Artifact& artifact) override {
    in_turn([&] { listener_.artifact(artifact); });
  }
  std::optional<std::string> remember(const Note& note) override {
    return in_turn([&] { return listener_.remember(note); });
  }
  void idle() override {
    in_turn([&] { listener_.idle(); });
  }

 private:
  StepListener& listener_;
  Turn& turn_;
};

}  // namespace

StepResult TurnWorker::perform(const StepRequest& request, StepListener& listener) {
  TurnListener in_turn(listener, turn_);
  const WithoutTurn waiting(turn_);
  return worker_.perform(request, in_turn);
}

ProbeResult TurnWorker::probe(const FileIdentity& plugin_file) {
  const WithoutTurn waiting(turn_);
  return worker_.probe(plugin_file);
}

}  // namespace drydock
