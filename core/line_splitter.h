// Bytes as they arrive become lines without their end. A line longer than the limit is split.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace drydock {

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t limit) : limit_(limit) {}

  template <class Emit>  // void(std::string_view)
  void feed(std::string_view bytes, Emit&& emit) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::size_t room = limit_ - begun_.size();
      const bool whole = end != std::string_view::npos && end <= room;
      if (!whole && bytes.size() < room) {
        begun_.append(bytes);
        return;
      }
      const std::size_t taken = whole ? end : room;
      give(bytes.substr(0, taken), emit);
      bytes.remove_prefix(whole ? taken + 1 : taken);
    }
  }

  template <class Emit>  // a last line without an end
  void finish(Emit&& emit) {
    if (!begun_.empty()) give({}, emit);
  }

 private:
  template <class Emit>
  void give(std::string_view rest, Emit&& emit) {
    if (begun_.empty()) {
      emit(rest);
      return;
    }
    begun_.append(rest);
    emit(std::string_view(begun_));
    begun_.clear();
  }

  std::size_t limit_;
  std::string begun_;
};

}  // namespace drydock
