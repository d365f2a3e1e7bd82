#include "stage_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace drydock {
namespace {

// Nobody is left who could be told.
constexpr int runner_is_gone = 125;

// A plugin that closes descriptor 3 while the main thread waits on it: the kernel keeps the socket
// open for the waiting thread, and the runner would never notice. So the wait is not for ever.
constexpr int look_again_ms = 500;

constexpr std::size_t most_waiting = 32 * 1024;

void wait_for_bytes() {
  pollfd waiting{StageChannel::fd, POLLIN, 0};
  while (::poll(&waiting, 1, look_again_ms) <= 0) {
  }
  // Closed. The runner sees that now, and ends this worker.
  while ((waiting.revents & POLLNVAL) != 0) ::pause();
}

}  // namespace

bool StageChannel::open() {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return false;
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool StageChannel::send(std::string_view kind, const nlohmann::json& body) {
  const auto bytes = frame(kind, body);
  if (!bytes) return false;
  const std::lock_guard lock(sending_);
  waiting_ += *bytes;
  flush();
  return true;
}

bool StageChannel::send_later(std::string_view kind, const nlohmann::json& body) {
  const auto bytes = frame(kind, body);
  if (!bytes) return false;
  const std::lock_guard lock(sending_);
  waiting_ += *bytes;
  if (waiting_.size() >= most_waiting) flush();
  return true;
}

void StageChannel::flush() {
  for (std::string_view rest = waiting_; !rest.empty();) {
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) ::_exit(runner_is_gone);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  waiting_.clear();
}

Message StageChannel::receive() {
  try {
    for (;;) {
      if (auto message = reader_.next()) return std::move(*message);
      wait_for_bytes();
      std::array<char, 65536> buffer;
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0) ::_exit(runner_is_gone);
      reader_.append(buffer.data(), static_cast<std::size_t>(got));
    }
  } catch (const WireError&) {
    ::_exit(runner_is_gone);
  }
}

}  // namespace drydock
