// The human side of the events: one line a stage with spinner, elapsed time and progress on a
// terminal, plain lines elsewhere; the plan on one screen; the closing screen that answers what
// failed, what serves, what is lost and what to do now.
#pragma once

#include <iosfwd>
#include <memory>

#include "events.h"

namespace drydock {

struct ViewStyle {
  bool terminal = false;  // may redraw the current line
  bool color = false;     // NO_COLOR is honoured by whoever fills this in
  int width = 80;
  bool verbose = false;  // log lines of level info too (otherwise only warnings and errors, and the
                         // last lines on a failure)
};

std::unique_ptr<EventSink> make_view(std::ostream& out, const ViewStyle& style);
// Writes each event as one JSON line, flushed.
std::unique_ptr<EventSink> make_event_stream(std::ostream& out);
// DIR/events.jsonl and DIR/run.log (through spdlog), both 0600.
std::unique_ptr<EventSink> make_run_log(const std::string& dir);

// What a style for this process's stdout would be: isatty, NO_COLOR, TERM=dumb, the window's width.
ViewStyle style_of_stdout();

}  // namespace drydock
