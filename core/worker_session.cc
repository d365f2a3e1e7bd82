#include "worker_session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace drydock {
namespace {

constexpr std::size_t longest_log_line = 16u << 10;

}  // namespace

WorkerSession::WorkerSession(const std::string& stage_binary)
    : out_lines_(longest_log_line), err_lines_(longest_log_line) {
  Descriptor theirs;
  Pipe out, err;
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0) {
    channel_ = Descriptor(ends[0]);
    theirs = Descriptor(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  }
  if (!channel_ || !out.open() || !err.open()) {
    child_.refused = "no more files can be opened";
    return;
  }
  out_ = std::move(out.read);
  err_ = std::move(err.read);
  for (const Descriptor* each : {&out_, &err_}) {
    ::fcntl(each->get(), F_SETFL, O_NONBLOCK);  // of our end only
  }
  SpawnRequest request;
  request.arguments = {stage_binary};
  request.environment = scrubbed_environment();
  request.output = out.write.get();
  request.error = err.write.get();
  request.channel = theirs.get();
  request.oom_score_adj = 1000;  // rather a worker than the database
  child_ = spawn_child(request);
  if (started()) start_time_ = process_start_time(child_.pid);
}

WorkerSession::~WorkerSession() {
  if (!started() || reaped_) return;
  signal_group(SIGKILL);
  std::vector<EndedProcess> left_behind;
  reap(left_behind);
}

void WorkerSession::listen(OnLine on_line, OnMessage on_message) {
  on_line_ = std::move(on_line);
  on_message_ = std::move(on_message);
  child_works(child_.pid);
}

bool WorkerSession::is_alive() const {
  pollfd ended{child_.pidfd.get(), POLLIN, 0};
  return started() && ::poll(&ended, 1, 0) == 0;
}

bool WorkerSession::limit_memory(std::int64_t bytes) {
  ::rlimit limit{};
  if (::prlimit(child_.pid, RLIMIT_DATA, nullptr, &limit) != 0) return false;
  // A stricter limit, which it has from us, stays.
  limit.rlim_max = std::min(limit.rlim_max, static_cast<rlim_t>(bytes));
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  return ::prlimit(child_.pid, RLIMIT_DATA, &limit, nullptr) == 0;
}

bool WorkerSession::send(std::string_view kind, const nlohmann::json& body) {
  const auto bytes = frame(kind, body);
  if (!bytes) return false;
  unsent_ += *bytes;
  write_channel();
  return true;
}

void WorkerSession::wait(std::chrono::milliseconds timeout, int also) {
  const auto writable = static_cast<short>(unsent_.empty() ? 0 : POLLOUT);
  std::array<pollfd, 5> waiting{pollfd{channel_.get(), static_cast<short>(POLLIN | writable), 0},
                                pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0},
                                pollfd{child_.pidfd.get(), POLLIN, 0}, pollfd{also, POLLIN, 0}};
  if (::poll(waiting.data(), waiting.size(),
             static_cast<int>(std::max<std::int64_t>(0, timeout.count()))) <= 0) {
    return;
  }
  if (waiting[1].revents != 0) read_lines(out_, out_lines_, Stream::out);
  if (waiting[2].revents != 0) read_lines(err_, err_lines_, Stream::err);
  if ((waiting[0].revents & POLLOUT) != 0) write_channel();
  if (waiting[3].revents != 0) exited_ = true;
  // After its end everything that it sent is there: read all of it.
  if (waiting[0].revents != 0 || exited_) read_channel();
}

void WorkerSession::signal_group(int signal) const {
  if (!reaped_) ::kill(-child_.pid, signal);
}

int WorkerSession::finish(std::vector<EndedProcess>& left_behind) {
  const int status = reap(left_behind);
  read_lines(out_, out_lines_, Stream::out);
  read_lines(err_, err_lines_, Stream::err);
  out_lines_.finish([this](std::string_view line) { on_line_(Stream::out, line); });
  err_lines_.finish([this](std::string_view line) { on_line_(Stream::err, line); });
  return status;
}

int WorkerSession::reap(std::vector<EndedProcess>& left_behind) {
  const int status = reap_child(child_.pid);
  reaped_ = true;
  left_behind = end_orphans(child_.pid, start_time_);
  return status;
}

void WorkerSession::read_channel() {
  std::array<char, 65536> buffer;
  // One turn while it lives, so that a worker that sends without end does not keep us from the
  // clock. After its end all that it can have left in the socket, and no more: a daemon of it may
  // have inherited the other side.
  for (int turns = exited_ ? 128 : 1; turns > 0 && channel_; --turns) {
    const ssize_t got = ::recv(channel_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      channel_.close();
      return;
    }
    reader_.append(buffer.data(), static_cast<std::size_t>(got));
    while (auto message = reader_.next()) on_message_(std::move(*message));
  }
}

void WorkerSession::write_channel() {
  while (channel_ && !unsent_.empty()) {
    const ssize_t sent =
        ::send(channel_.get(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      if (errno != EAGAIN) unsent_.clear();  // it is gone; reading will tell
      return;
    }
    unsent_.erase(0, static_cast<std::size_t>(sent));
  }
}

void WorkerSession::read_lines(Descriptor& from, LineSplitter& lines, Stream stream) {
  std::array<char, 65536> buffer;
  // Twice is more than a pipe holds; one that is filled again and again waits for its next turn.
  for (int turn = 0; turn < 2 && from; ++turn) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      from.close();
      return;
    }
    lines.feed(std::string_view(buffer.data(), static_cast<std::size_t>(got)),
               [&](std::string_view line) { on_line_(stream, line); });
  }
}

}  // namespace drydock
