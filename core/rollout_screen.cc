#include "rollout_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <ostream>
#include <utility>

#include "text.h"

namespace drydock {
namespace {

constexpr std::size_t usual_rows = 24;

std::size_t rows_of_window() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 3;
  return known ? size.ws_row : usual_rows;
}

// A picture that is taller than its window could not be drawn over.
Lines that_fit(Lines lines) {
  const std::size_t room = rows_of_window() - 1;
  if (lines.size() <= room) return lines;
  const std::string last = lines.back();
  const std::size_t left_out = lines.size() - room + 1;
  lines.resize(room - 2);
  lines.push_back(indent + "and " + std::to_string(left_out) + " more lines");
  lines.push_back(last);
  return lines;
}

}  // namespace

void LivePicture::say(const Lines& lines) {
  for (const std::string& line : lines) above_ += line + "\n";
  if (style_.terminal) return draw(Lines(picture_));
  out_ << above_ << std::flush;
  above_.clear();
}

// One write, so that nothing flickers; without wrapping meanwhile, so that a line is a line.
void LivePicture::draw(const Lines& lines) {
  if (!style_.terminal) return;
  picture_ = lines;
  std::string frame;
  if (drawn_ > 0) frame += "\x1b[" + std::to_string(drawn_) + "A\r\x1b[J";
  frame += std::exchange(above_, "");
  const Lines shown = that_fit(lines);
  if (!shown.empty()) {
    frame += "\x1b[?7l";
    for (const std::string& line : shown) frame += line + "\n";
    frame += "\x1b[?7h";
  }
  drawn_ = shown.size();
  if (!frame.empty()) out_ << frame << std::flush;
}

}  // namespace drydock
