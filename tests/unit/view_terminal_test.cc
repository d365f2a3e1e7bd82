#include "view_terminal.h"

#include <gtest/gtest.h>

#include <sstream>

#include "view_samples.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

// What a terminal would show after these bytes. It understands the sequences that the view uses
// and fails on any other.
std::vector<std::string> screen_after(const std::string& bytes) {
  std::vector<std::string> lines = {""};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n') {
      lines.emplace_back();
    } else if (bytes[i] == '\r') {
      lines.back().clear();
    } else if (bytes[i] == '\x1b') {
      const std::size_t end = bytes.find_first_not_of("[?;0123456789", i + 1);
      const std::string sequence = bytes.substr(i + 1, end - i);
      if (sequence.back() == 'A') {  // up: whatever is below is erased next
        const int up = std::stoi(sequence.substr(1));
        for (int line = 0; line < up; ++line) lines.pop_back();
        EXPECT_EQ(bytes.substr(end + 1, 4), "\r\x1b[J");
      } else if (sequence != "[J" && sequence != "[?7l" && sequence != "[?7h" &&
                 sequence.back() != 'm') {
        ADD_FAILURE() << "unexpected sequence ESC" << sequence;
      }
      i = end;
    } else {
      lines.back() += bytes[i];
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

class TerminalViewTest : public testing::Test {
 protected:
  void start(ViewStyle style = {}) {
    style.terminal = true;
    view_ = make_terminal_view(out_, style, [this] { return now_; });
  }
  void show(double second, const Event& event) {
    now_ = milliseconds(static_cast<int>(second * 1000));
    view_->event(event);
  }
  std::string screen() const { return joined(screen_after(out_.str())); }

  std::ostringstream out_;
  milliseconds now_{0};
  std::unique_ptr<EventSink> view_;
};

TEST_F(TerminalViewTest, DrawsARunningStageOnOneLineAndItsNewestLogLineBelow) {
  start();
  show(1, stage_started(1, "pull", 1));
  show(1, step_started(1, "pull", "run"));
  show(2, log_line(2, "pull", "info", "Pulling api"));
  show(3, log_line(3, "pull", "info", "Pulling web"));
  show(13, progress(13, "pull", 10'000'000, 40'000'000, "bytes"));
  EXPECT_EQ(screen(),
            "  ⠋ pull            12 s  10/40 MB  ━━━━────────────\n"
            "    Pulling web\n");
}

TEST_F(TerminalViewTest, DrawsStagesThatRunAtOnceBelowOneAnother) {
  start();
  show(0, run_started());
  for (const char* stage : {"pull", "backup", "tidy"}) {
    show(1, stage_started(1, stage, 1));
    show(1, step_started(1, stage, "run"));
  }
  show(2, log_line(2, "pull", "info", "Pulling api"));
  show(3, progress(3, "backup", 10, 40, "files"));
  show(4, log_line(4, "backup", "info", "dumping"));
  show(13, stage_finished(13, "tidy", "failed", "no space left"));
  EXPECT_EQ(screen(),
            "\nRun 7 of sample\n"
            "  ✗ tidy            failed after 12 s: no space left\n"
            "  ⠋ pull            12 s\n"
            "  ⠋ backup          12 s  10/40 files  ━━━━────────────\n");
  show(13, stage_finished(13, "pull", "cancelled", "cancelled"));
  EXPECT_EQ(screen(),
            "\nRun 7 of sample\n"
            "  ✗ tidy            failed after 12 s: no space left\n"
            "  ✗ pull            cancelled after 12 s: cancelled\n"
            "    | Pulling api\n"
            "  ⠋ backup          12 s  10/40 files  ━━━━────────────\n"
            "    dumping\n");
}

TEST_F(TerminalViewTest, DrawsNoMoreStagesThanFitOnAScreen) {
  start();
  show(0, run_started());
  for (int i = 1; i <= 11; ++i) show(i, stage_started(i, "stage" + std::to_string(i), i));
  const std::string text = screen();
  EXPECT_NE(text.find("stage8"), std::string::npos) << text;
  EXPECT_EQ(text.find("stage9"), std::string::npos) << text;
  EXPECT_NE(text.find("    and 3 more\n"), std::string::npos) << text;
}

TEST_F(TerminalViewTest, ReplacesItByItsResult) {
  start();
  show(1, stage_started(1, "pull", 1));
  show(2, log_line(2, "pull", "info", "Pulling api"));
  show(13, stage_finished(13, "pull", "done"));
  show(13, stage_started(13, "smoke", 2));
  show(13, event_at(13, "stage.skipped", {{"name", "smoke"}, {"reason", "vars.smoke is false"}},
                    "smoke"));
  EXPECT_EQ(screen(),
            "  ✓ pull            12 s\n"
            "  - smoke           skipped: vars.smoke is false\n");
}

TEST_F(TerminalViewTest, WrapsTheReasonOfAFailureAndShowsTheLastLogLines) {
  start();
  show(1, stage_started(1, "migrate", 1));
  show(2, log_line(2, "migrate", "info", "relation \"x\" does not exist"));
  show(5, stage_finished(5, "migrate", "failed",
                         "database app is at a1b2c3 and the head is d4e5f6; see the output", 4100));
  EXPECT_EQ(screen(),
            "  ✗ migrate         failed after 4.1 s: database app is at a1b2c3 and the head\n"
            "                    is d4e5f6; see the output\n"
            "    | relation \"x\" does not exist\n");
}

TEST_F(TerminalViewTest, KeepsWarningsAboveTheLineThatIsDrawnAgain) {
  start();
  show(1, stage_started(1, "pull", 1));
  show(3, log_line(3, "pull", "warning", "registry is slow"));
  EXPECT_EQ(screen(),
            "  ! pull: registry is slow\n"
            "  ⠋ pull            2 s\n"
            "    registry is slow\n");
}

TEST_F(TerminalViewTest, SaysWhichStepRunsWhenItIsNotRun) {
  start();
  show(0, run_started());
  show(1, stage_started(1, "pull", 1));
  show(1, step_started(1, "pull", "run"));
  show(4, step_started(4, "pull", "verify"));
  EXPECT_EQ(screen(), "\nRun 7 of sample\n  ⠋ pull            3 s  verify\n");
}

TEST_F(TerminalViewTest, TellsAWholeRollback) {
  start();
  show(5, event_at(5, "rollback.started", {{"reason", "stage migrate failed"}, {"stages", 1}}));
  show(5, step_started(5, "up", "rollback"));
  show(6, step_finished(6, "up", "rollback"));
  show(6, step_started(6, "up", "settle"));
  show(7, step_finished(7, "up", "settle", "crashed", "crashed (SIGSEGV)"));
  show(7, step_started(7, "up", "observe"));
  show(7, step_finished(7, "up", "observe"));
  show(7, event_at(7, "rollback.finished", {{"status", "verified"}, {"duration_ms", 2000}}));
  EXPECT_EQ(screen(),
            "\nRolling back 1 stage: stage migrate failed\n"
            "  ✓ up              rollback  0.8 s\n"
            "  ✗ up              step settle crashed after 0.8 s: crashed (SIGSEGV)\n"
            "  ✓ verified        everything is as it was before  2.0 s\n");
}

TEST_F(TerminalViewTest, DoesNotDrawFasterThanAPersonReads) {
  start();
  show(1, stage_started(1, "pull", 1));
  const std::size_t before = out_.str().size();
  for (int i = 0; i < 1000; ++i) show(1.01, log_line(1, "pull", "info", "line"));
  EXPECT_EQ(out_.str().size(), before);
  now_ = milliseconds(1200);
  view_->idle();
  EXPECT_GT(out_.str().size(), before);
}

TEST_F(TerminalViewTest, ALongLogLineStaysOnOneLine) {
  start();
  show(1, stage_started(1, "pull", 1));
  show(2, log_line(2, "pull", "info", std::string(500, 'x')));
  EXPECT_EQ(screen(), "  ⠋ pull            1 s\n    " + std::string(74, 'x') + "…\n");
}

TEST_F(TerminalViewTest, LeavesNothingHalfDrawnBehind) {
  start();
  show(1, plan_started());
  show(2, step_started(2, "pull", "plan"));
  EXPECT_NE(screen().find("⠋ pull"), std::string::npos);
  view_.reset();
  EXPECT_EQ(screen().find("⠋ pull"), std::string::npos) << screen();
}

TEST_F(TerminalViewTest, UsesColoursOnlyWhereTheyAreWanted) {
  start();
  show(1, stage_finished(1, "pull", "done"));
  EXPECT_EQ(out_.str().find("\x1b[3"), std::string::npos);
  ViewStyle color;
  color.color = true;
  start(color);
  show(1, stage_finished(1, "pull", "done"));
  EXPECT_NE(out_.str().find("\x1b[32m✓\x1b[0m"), std::string::npos);
}

TEST_F(TerminalViewTest, DrawsWithAsciiWhereTheLocaleHasNothingElse) {
  ViewStyle ascii;
  ascii.utf8 = false;
  start(ascii);
  show(1, stage_started(1, "pull", 1));
  show(2, progress(2, "pull", 1, 2, "files"));
  EXPECT_EQ(screen(), "  | pull            1 s  1/2 files  ========--------\n");
}

}  // namespace
}  // namespace drydock
