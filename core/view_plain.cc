#include "view_plain.h"

#include <map>
#include <ostream>

#include "error.h"
#include "event_text.h"
#include "view_run.h"

namespace drydock {
namespace {

constexpr std::int64_t progress_every_ms = 10'000;

class PlainView : public EventSink {
 public:
  PlainView(std::ostream& out, const ViewStyle& style) : out_(out), style_(style) {}

  void event(const Event& event) override {
    run_.add(event);
    show(event);
    out_.flush();
    if (!out_) throw Error("the screen can no longer be written to");
  }

 private:
  void show(const Event& event) {
    const std::string& type = event.type;
    if (type == "plan.started") {
      print(run_.plan.header(style_));
    } else if (type == "plan.finished") {
      print(run_.plan.body(style_));
    } else if (type == "log") {
      if (shown_at_once(event, style_.verbose)) {
        print(event);
      } else if (level_of(event) != LogLevel::debug) {
        run_.tails[event.stage].add(one_line(text_at(event.data, "text")));
      }
    } else if (type == "progress") {
      show_progress(event);
    } else if (type == "stage.finished") {
      if (text_at(event.data, "status") == "failed") print_tail(event);
      last_progress_.erase(event.stage);
      print(event);
    } else if (type == "step.finished") {
      show_step(event);
    } else if (type == "run.started") {
      out_ << "\nRun " << event.run << " of " << one_line(pipeline_text(event.data))
           << goes_on_text(event.data) << '\n';
    } else if (type == "rollback.started") {
      out_ << one_line(run_.rollback_text(event)) << '\n';
    } else if (type == "run.finished") {
      out_ << '\n';
      print(run_.closing.lines(style_));
    } else if (type != "stage.planned" && type != "step.started" && type != "output" &&
               (type != "artifact" || style_.verbose)) {
      print(event);
    }
  }

  // Steps of a rollback are what happens to a stage then; in a run the stage's own lines say it.
  void show_step(const Event& event) {
    const std::string status = text_at(event.data, "status");
    const bool ok = status == "ok" || (event.step == "plan" && status == "unknown");
    const bool puts_back = event.step == "rollback" || event.step == "settle";
    if (!ok && (run_.phase != Phase::running || puts_back)) print_tail(event);
    if (puts_back || (!ok && run_.phase == Phase::rolling_back)) print(event);
  }

  void show_progress(const Event& event) {
    const std::int64_t now = event.milliseconds();
    const auto [last, first] = last_progress_.try_emplace(event.stage, now);
    if (!first && now - last->second < progress_every_ms) return;
    if (first) return;  // the line of its start is news enough
    last->second = now;
    print(event);
  }

  void print(const Event& event) { out_ << one_line(text_of(event).text) << '\n'; }
  void print(const Lines& lines) {
    for (const std::string& line : lines) out_ << line << '\n';
  }
  void print_tail(const Event& event) {
    for (const std::string& line : run_.tails[event.stage].take())
      out_ << event.stage << " | " << line << '\n';
  }

  std::ostream& out_;
  const ViewStyle style_;
  RunPicture run_;
  std::map<std::string, std::int64_t> last_progress_;  // stage -> when, by the events' time
};

}  // namespace

std::unique_ptr<EventSink> make_plain_view(std::ostream& out, const ViewStyle& style) {
  return std::make_unique<PlainView>(out, style);
}

}  // namespace drydock
