#include "cancellation.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace drydock {

Cancellation::Cancellation(const Cancellation* whole)
    : whole_(whole), own_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (own_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  if (whole == nullptr) return;
  both_ = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event readable{};
  readable.events = EPOLLIN;
  if (both_ >= 0 && ::epoll_ctl(both_, EPOLL_CTL_ADD, own_, &readable) == 0 &&
      ::epoll_ctl(both_, EPOLL_CTL_ADD, whole->fd(), &readable) == 0) {
    return;
  }
  const int error = errno;
  ::close(own_);
  if (both_ >= 0) ::close(both_);
  throw std::system_error(error, std::generic_category(), "epoll");
}

Cancellation::~Cancellation() {
  ::close(own_);
  if (both_ >= 0) ::close(both_);
}

void Cancellation::request() {
  const int saved = errno;  // a signal handler must leave errno as it found it
  requested_.store(true);
  const std::uint64_t one = 1;
  // Only a full counter can refuse this, and then the descriptor is readable already.
  [[maybe_unused]] const auto written = ::write(own_, &one, sizeof one);
  errno = saved;
}

}  // namespace drydock
