// For a rollback: what cannot be put back must not keep the rest from it.
#pragma once

#include <exception>
#include <stdexcept>
#include <utility>

#include "drydock/stage.hpp"

namespace drydock {

// Tries one thing after the other. The first failure is thrown at the end, and each later one is a
// warning. A cancellation ends the step at once, as ever.
class FirstFailure {
 public:
  explicit FirstFailure(const Call& call) : call_(call) {}

  template <class Action>
  void attempt(Action&& action) {
    try {
      std::forward<Action>(action)();
    } catch (const std::runtime_error& failure) {
      if (first_) {
        call_.warn(failure.what());
      } else {
        first_ = std::current_exception();
      }
    }
  }
  void rethrow() const {
    if (first_) std::rethrow_exception(first_);
  }

 private:
  const Call& call_;
  std::exception_ptr first_;
};

}  // namespace drydock
