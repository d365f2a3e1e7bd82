// A request to cancel, made by a signal or by another command, that can be polled as a descriptor.
#pragma once

#include <atomic>

namespace drydock {

class Cancellation {
 public:
  Cancellation();
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void request();  // async-signal-safe; once requested it stays so
  bool requested() const { return requested_.load(); }
  int fd() const { return fd_; }  // readable once requested; never read from it

 private:
  int fd_;
  std::atomic<bool> requested_{false};
};

}  // namespace drydock
