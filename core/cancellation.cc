#include "cancellation.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace drydock {

Cancellation::Cancellation() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Cancellation::~Cancellation() { ::close(fd_); }

void Cancellation::request() {
  const int saved = errno;  // a signal handler must leave errno as it found it
  requested_.store(true);
  const std::uint64_t one = 1;
  // Only a full counter can refuse this, and then the descriptor is readable already.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  errno = saved;
}

}  // namespace drydock
