#include "view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ostream>
#include <string_view>

#include "error.h"
#include "view_plain.h"
#include "view_terminal.h"

namespace drydock {
namespace {

class EventStream : public EventSink {
 public:
  explicit EventStream(std::ostream& out) : out_(out) {}
  void event(const Event& event) override {
    out_ << event.to_json_line() + "\n" << std::flush;
    if (!out_) throw Error("the reader of the events went away");
  }

 private:
  std::ostream& out_;
};

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = variable(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

}  // namespace

std::unique_ptr<EventSink> make_view(std::ostream& out, const ViewStyle& style) {
  if (!style.terminal) return make_plain_view(out, style);
  return make_terminal_view(out, style, [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
  });
}

std::unique_ptr<EventSink> make_event_stream(std::ostream& out) {
  return std::make_unique<EventStream>(out);
}

ViewStyle style_of_stdout() {
  constexpr int widest = 100;  // longer lines are harder to read
  constexpr int narrowest = 40;
  ViewStyle style;
  const std::string_view terminal = variable("TERM");
  style.terminal = ::isatty(STDOUT_FILENO) == 1 && !terminal.empty() && terminal != "dumb";
  style.color = style.terminal && variable("NO_COLOR").empty();
  style.utf8 = locale_is_utf8();
  winsize window{};
  if (style.terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    style.width = std::clamp<int>(window.ws_col, narrowest, widest);
  }
  return style;
}

}  // namespace drydock
