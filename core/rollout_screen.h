// The last lines of a terminal, which are drawn again, and lines above them that stay.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "view.h"
#include "view_text.h"

namespace drydock {

class LivePicture {
 public:
  // Without a terminal nothing is drawn, and what is said is written as it comes.
  LivePicture(std::ostream& out, const ViewStyle& style) : out_(out), style_(style) {}
  ~LivePicture() { clear(); }
  LivePicture(const LivePicture&) = delete;
  LivePicture& operator=(const LivePicture&) = delete;

  void say(const Lines& lines);
  // As many of them as the window has room for; the last one always.
  void draw(const Lines& lines);
  void clear() { draw({}); }
  // What was drawn last stays.
  void keep() { drawn_ = 0; }

 private:
  std::ostream& out_;
  ViewStyle style_;
  std::string above_;  // not yet written
  Lines picture_;      // as it was drawn last
  std::size_t drawn_ = 0;
};

}  // namespace drydock
