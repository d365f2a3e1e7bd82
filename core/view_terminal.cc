#include "view_terminal.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <unordered_map>
#include <vector>

#include "error.h"
#include "event_text.h"
#include "text.h"
#include "view_run.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds redraw_every{80};
constexpr int bar_width = 16;
constexpr std::size_t most_drawn = 8;  // stages at once; a picture must not outgrow the screen

// A stage that is going on, drawn on the last lines.
struct Now {
  std::string stage, name, doing;  // doing: what is unusual about it, or ""
  milliseconds since{0};
  std::string progress, newest_log;
  std::optional<double> part;  // done/total
};

class TerminalView : public EventSink {
 public:
  TerminalView(std::ostream& out, const ViewStyle& style, TimeSource clock)
      : out_(out), style_(style), ink_(style), clock_(std::move(clock)) {}
  ~TerminalView() override {
    now_.clear();
    draw();
  }

  void event(const Event& event) override {
    run_.add(event);
    const auto found = handlers().find(event.type);
    if (found != handlers().end()) (this->*found->second)(event);
    // Progress and log lines may come faster than a person reads.
    if (!above_.empty() || now_.empty() || clock_() - drawn_at_ >= redraw_every) draw();
    if (!out_) throw Error("the screen can no longer be written to");
  }

  void idle() override {
    if (!now_.empty() && clock_() - drawn_at_ >= redraw_every) draw();
  }

 private:
  using Handler = void (TerminalView::*)(const Event&);

  static const std::unordered_map<std::string, Handler>& handlers() {
    static const std::unordered_map<std::string, Handler> all = {
        {"plan.started", &TerminalView::plan_started},
        {"stage.planned", &TerminalView::stage_planned},
        {"plan.finished", &TerminalView::plan_finished},
        {"run.started", &TerminalView::run_started},
        {"stage.started", &TerminalView::stage_started},
        {"step.started", &TerminalView::step_started},
        {"step.finished", &TerminalView::step_finished},
        {"stage.retry", &TerminalView::stage_retry},
        {"stage.skipped", &TerminalView::stage_skipped},
        {"stage.finished", &TerminalView::stage_finished},
        {"log", &TerminalView::log},
        {"progress", &TerminalView::progress},
        {"artifact", &TerminalView::artifact},
        {"warning", &TerminalView::warning},
        {"recovery", &TerminalView::warning},
        {"rollback.started", &TerminalView::rollback_started},
        {"rollback.finished", &TerminalView::rollback_finished},
        {"fact.differs", &TerminalView::fact_differs},
        {"run.finished", &TerminalView::run_finished},
    };
    return all;
  }

  void plan_started(const Event&) { say(run_.plan.header(style_)); }

  void stage_planned(const Event& event) {
    name_width_ =
        std::clamp(display_width(run_.name_of(event)), name_width_, static_cast<std::size_t>(28));
  }

  void plan_finished(const Event&) {
    now_.clear();
    say(run_.plan.body(style_));
  }

  void run_started(const Event& event) {
    now_.clear();
    say("");
    say(ink_.bold("Run " + std::to_string(event.run) + " of " +
                  one_line(text_at(event.data, "pipeline")) + goes_on_text(event.data)));
  }

  void stage_started(const Event& event) { begin(event, ""); }

  void step_started(const Event& event) {
    Now* const now = run_.phase == Phase::running ? now_of(event) : nullptr;
    std::string doing = event.step == "run" ? "" : event.step;
    if (run_.phase == Phase::planning) doing = "plan";
    if (const std::int64_t attempt = number_at(event.data, "attempt", 1);
        run_.phase == Phase::running && attempt > 1) {
      doing += (doing.empty() ? "" : ", ") + std::string("attempt ") + std::to_string(attempt);
    }
    if (now == nullptr) {
      begin(event, doing);
    } else {
      now->doing = doing;
      now->progress.clear();
      now->part.reset();
    }
  }

  void step_finished(const Event& event) {
    const std::string status = text_at(event.data, "status");
    const bool ok = status == "ok" || (event.step == "plan" && status == "unknown");
    const bool puts_back = event.step == "rollback" || event.step == "settle";
    if (run_.phase == Phase::running && !puts_back) return;  // stage.finished tells it
    if (!ok) end(event);
    if (run_.phase == Phase::rolling_back || puts_back) {
      end(event);
      if (ok && puts_back) {
        result(ink_.green(ink_.good), run_.name_of(event), event.step + took(event.data, "  "));
      } else if (!ok) {
        result(ink_.red(ink_.bad), run_.name_of(event), text_of(event).text.substr(prefix(event)));
      }
    }
    if (!ok) say_tail(event);
  }

  void stage_retry(const Event& event) {
    result(ink_.yellow("!"), run_.name_of(event), retry_text(event.data));
    say_tail(event);
    if (Now* now = now_of(event)) {
      now->doing = "waits for attempt " + std::to_string(number_at(event.data, "attempt"));
    }
  }

  void stage_skipped(const Event& event) {
    end(event);
    result(ink_.dim("-"), run_.name_of(event), text_of(event).text.substr(prefix(event)));
  }

  void stage_finished(const Event& event) {
    const std::string status = text_at(event.data, "status");
    const std::string name = run_.name_of(event);
    end(event);
    if (status == "done") {
      result(ink_.green(ink_.good), name, took(event.data, ""));
    } else if (status == "continued") {
      result(ink_.yellow("!"), name, "rolled back alone; the run goes on");
    } else {
      result(status == "cancelled" ? ink_.yellow(ink_.bad) : ink_.red(ink_.bad), name,
             text_of(event).text.substr(prefix(event)));
      say_tail(event);
    }
  }

  void log(const Event& event) {
    const std::string text = one_line(text_at(event.data, "text"));
    const LogLevel level = level_of(event);
    if (shown_at_once(event, style_.verbose)) {
      note(level == LogLevel::info ? ink_.dim("|") : ink_.yellow("!"), event, text);
    } else if (level == LogLevel::info) {
      run_.tails[event.stage].add(text);
    }
    if (Now* now = now_of(event); now != nullptr && level != LogLevel::debug)
      now->newest_log = text;
  }

  void progress(const Event& event) {
    Now* const now = now_of(event);
    if (now == nullptr) return;
    const std::int64_t total = number_at(event.data, "total");
    now->progress = progress_text(event.data);
    now->part.reset();
    if (total > 0) {
      now->part = std::clamp(
          static_cast<double>(number_at(event.data, "done")) / static_cast<double>(total), 0., 1.);
    }
  }

  void artifact(const Event& event) {
    if (style_.verbose) note(ink_.dim("|"), event, text_of(event).text.substr(prefix(event)));
  }

  void warning(const Event& event) { note(ink_.yellow("!"), event, text_at(event.data, "text")); }

  void rollback_started(const Event& event) {
    now_.clear();
    say("");
    for (const std::string& line : wrap(run_.rollback_text(event), style_.width, "", indent)) {
      say(ink_.bold(line));
    }
  }

  void rollback_finished(const Event& event) {
    now_.clear();
    const bool verified = text_at(event.data, "status") == "verified";
    result(verified ? ink_.green(ink_.good) : ink_.red(ink_.bad), verified ? "verified" : "failed",
           verified ? "everything is as it was before" + took(event.data, "  ")
                    : "not everything was put back, or that could not be verified");
  }

  void fact_differs(const Event& event) {
    note(ink_.red(ink_.bad), event, text_of(event).text.substr(prefix(event)));
  }

  void run_finished(const Event&) {
    now_.clear();
    say("");
    say(run_.closing.lines(style_));
  }

  void begin(const Event& event, const std::string& doing) {
    // Only in a run there are several at once.
    if (run_.phase != Phase::running) now_.clear();
    Now& now = now_.emplace_back();
    now.stage = event.stage;
    now.name = run_.name_of(event);
    now.doing = doing;
    now.since = clock_();
  }
  void end(const Event& event) {
    std::erase_if(now_, [&event](const Now& now) { return now.stage == event.stage; });
  }
  Now* now_of(const Event& event) {
    const auto found = std::find_if(now_.begin(), now_.end(),
                                    [&event](const Now& now) { return now.stage == event.stage; });
    return found == now_.end() ? nullptr : &*found;
  }

  // How long "STAGE: " is, which a line that begins with the stage's name leaves out.
  static std::size_t prefix(const Event& event) {
    return event.stage.empty() ? 0 : event.stage.size() + 2;
  }
  static std::string took(const nlohmann::json& data, const char* before) {
    return data.contains("duration_ms") ? before + duration_at(data, "duration_ms") : "";
  }

  // --- lines that stay
  void say(const std::string& line) { above_ += line + "\n"; }
  void say(const Lines& lines) {
    for (const std::string& line : lines) say(line);
  }
  // "  ✓ pull            12 s"
  void result(const std::string& sign, const std::string& name, const std::string& text) {
    const std::string padded = text.empty() ? name : pad(name, name_width_) + "  ";
    const std::string next(std::min<std::size_t>(display_width(padded) + 4, 24), ' ');
    // The sign is coloured; colours have no width, so it is put before what was laid out.
    Lines lines = wrap(text, style_.width, "  X " + padded, next);
    lines[0].replace(2, 1, sign);
    say(lines);
  }
  // Something about a stage while it goes on.
  void note(const std::string& sign, const Event& event, const std::string& text) {
    const std::string name = event.stage.empty() ? "" : run_.name_of(event) + ": ";
    Lines lines = wrap(name + text, style_.width, "  X ", "    ");
    lines[0].replace(2, 1, sign);
    say(lines);
  }
  void say_tail(const Event& event) {
    for (const std::string& text : run_.tails[event.stage].take()) {
      for (const std::string& line : wrap(text, style_.width, "    | ", "    | ")) {
        say(ink_.dim(line));
      }
    }
  }

  // --- lines that are drawn again
  Lines now_lines() const {
    const std::size_t drawn = std::min(now_.size(), most_drawn);
    Lines lines;
    for (std::size_t i = 0; i < drawn; ++i) lines.push_back(line_of(now_[i]));
    if (now_.size() == 1 && !now_[0].newest_log.empty()) {
      lines.push_back(ink_.dim("    " + shorten(now_[0].newest_log, room() - 4)));
    } else if (now_.size() > drawn) {
      lines.push_back(ink_.dim("    and " + std::to_string(now_.size() - drawn) + " more"));
    }
    return lines;
  }

  std::string line_of(const Now& now) const {
    const auto tick = static_cast<std::size_t>(clock_().count() / 100) % ink_.spinner.size();
    const auto elapsed = std::chrono::floor<std::chrono::seconds>(clock_() - now.since);
    // Whole seconds: tenths that come and go would flicker.
    const std::string took = elapsed < std::chrono::seconds(10)
                                 ? std::to_string(elapsed.count()) + " s"
                                 : format_duration(elapsed);
    std::string text = pad(now.name, name_width_) + "  " + took;
    if (!now.doing.empty()) text += "  " + now.doing;
    if (!now.progress.empty()) text += "  " + now.progress;
    if (now.part && display_width(text) + bar_width + 6 <= room()) text += "  " + bar(*now.part);
    return indent + ink_.spinner[tick] + " " + shorten(text, room() - 4);
  }

  std::size_t room() const { return static_cast<std::size_t>(std::max(style_.width - 1, 20)); }

  std::string bar(double part) const {
    const int filled = static_cast<int>(part * bar_width);
    std::string drawn;
    for (int i = 0; i < bar_width; ++i) drawn += i < filled ? ink_.full : ink_.rest;
    return drawn;
  }

  // One write for each picture, so that nothing flickers. Line wrapping is off meanwhile: a wide
  // character or a smaller window must not move the lines that are to be drawn over.
  void draw() {
    std::string frame;
    if (drawn_lines_ > 0) frame += "\x1b[" + std::to_string(drawn_lines_) + "A\r\x1b[J";
    frame += above_;
    above_.clear();
    const Lines lines = now_lines();
    if (!lines.empty()) {
      frame += "\x1b[?7l";
      for (const std::string& line : lines) frame += line + "\n";
      frame += "\x1b[?7h";
    }
    drawn_lines_ = lines.size();
    drawn_at_ = clock_();
    if (!frame.empty()) out_ << frame << std::flush;
  }

  std::ostream& out_;
  const ViewStyle style_;
  const Ink ink_;
  const TimeSource clock_;
  RunPicture run_;
  std::vector<Now> now_;
  std::string above_;  // lines that stay, not yet written
  std::size_t drawn_lines_ = 0;
  milliseconds drawn_at_{0};
  std::size_t name_width_ = 14;
};

}  // namespace

std::unique_ptr<EventSink> make_terminal_view(std::ostream& out, const ViewStyle& style,
                                              TimeSource clock) {
  return std::make_unique<TerminalView>(out, style, std::move(clock));
}

}  // namespace drydock
