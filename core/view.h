// The human side of the events: one line a stage with spinner, elapsed time and progress on a
// terminal, plain lines elsewhere; the plan on one screen; the closing screen that answers what
// failed, what serves, what is lost and what to do now.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "events.h"

namespace drydock {

struct ViewStyle {
  bool terminal = false;  // may redraw the current line
  bool color = false;     // NO_COLOR is honoured by whoever fills this in
  bool utf8 = true;       // else everything that we draw is ASCII
  int width = 80;
  bool all = false;      // every change of a plan, with its values whole
  bool verbose = false;  // log lines of level info too (otherwise only warnings and errors, and the
                         // last lines on a failure); and as all
  bool shows_all() const { return all || verbose; }
};

std::unique_ptr<EventSink> make_view(std::ostream& out, const ViewStyle& style);
// Writes each event as one JSON line, flushed.
std::unique_ptr<EventSink> make_event_stream(std::ostream& out);
// DIR/events.jsonl and DIR/run.log (through spdlog), both 0600 and appended to. DIR exists. Throws
// Error when one cannot be opened.
std::unique_ptr<EventSink> make_run_log(const std::string& dir);
// The last whole event in DIR/events.jsonl, and its seq; nullopt and 0 when there is none.
std::optional<Event> last_event_of(const std::string& dir);
std::uint64_t last_seq_of(const std::string& dir);

// What a style for this process's stdout would be: isatty, NO_COLOR, TERM=dumb, the locale, the
// window's width.
ViewStyle style_of_stdout();

}  // namespace drydock
