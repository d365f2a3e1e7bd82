// A request to cancel, made by a signal or by another command, that can be polled as a descriptor.
#pragma once

#include <atomic>

namespace drydock {

class Cancellation {
 public:
  // Of a part: requested as well once that of the `whole` is, which must live as long.
  explicit Cancellation(const Cancellation* whole = nullptr);
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void request();  // async-signal-safe; once requested it stays so
  bool requested() const { return requested_.load() || (whole_ != nullptr && whole_->requested()); }
  // Readable once requested; never read from it.
  int fd() const { return whole_ == nullptr ? own_ : both_; }

 private:
  const Cancellation* whole_;
  int own_, both_ = -1;
  std::atomic<bool> requested_{false};
};

}  // namespace drydock
