#include "child_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "error.h"
#include "files.h"

namespace drydock {
namespace {

constexpr std::size_t longest_line = 4u << 20;  // as long as an event may be
constexpr std::size_t kept_error = 16u << 10;

struct Pipe {
  bool open() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    ::fcntl(read.get(), F_SETFL, O_NONBLOCK);  // of our end only
    return true;
  }
  Descriptor read, write;
};

enum class Drained { empty, more, at_end };

// Not more at once than lets the others have their turn.
template <class Take>
Drained drain(const Descriptor& from, Take take) {
  constexpr int most_reads = 16;
  std::array<char, 65536> buffer;
  for (int reads = 0; reads < most_reads;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return Drained::empty;
    if (got <= 0) return Drained::at_end;
    take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    ++reads;
  }
  return Drained::more;
}

// Closes it at its end. Returns whether there is more.
template <class Take>
bool read_some(Descriptor& from, Take take) {
  if (!from) return false;
  const Drained how = drain(from, take);
  if (how == Drained::at_end) from.close();
  return how == Drained::more;
}

}  // namespace

ChildPool::ChildPool() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) {
    throw Error("no commands can be watched (" + std::string(std::strerror(errno)) +
                "); raise the limit of open files");
  }
}

ChildPool::~ChildPool() {
  for (const Child& child : children_) {
    if (child.outlives_us) continue;
    ::kill(-child.process.pid, SIGKILL);
    while (::waitpid(child.process.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void ChildPool::watch(int fd, void* child) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = child;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void ChildPool::start(std::size_t tag, const ChildCommand& command, const std::string& input) {
  const auto refuse = [&](const std::string& why) {
    ChildEvent event;
    event.tag = tag;
    event.ended = true;
    event.error = why;
    refused_.push_back(std::move(event));
  };
  Pipe out, err;
  const Descriptor given = file_in_memory(input);
  if (!out.open() || !err.open() || !given) {
    return refuse("no more files can be opened (" + std::string(std::strerror(errno)) +
                  "); raise `ulimit -n`, or lower 'parallel:'");
  }
  SpawnRequest request;
  request.arguments = command.words;
  request.directory = command.directory;
  for (char** entry = environ; *entry != nullptr; ++entry) request.environment.emplace_back(*entry);
  request.input = given.get();
  request.output = out.write.get();
  request.error = err.write.get();
  request.outlives_us = command.outlives_us;
  Spawned process = spawn(request);
  if (process.pid < 0) return refuse(process.refused);
  children_.push_back({tag, std::move(process), command.outlives_us, std::move(out.read),
                       std::move(err.read), LineSplitter(longest_line), "", command.grace,
                       std::nullopt});
  Child& child = children_.back();
  if (command.timeout) child.until = std::chrono::steady_clock::now() + *command.timeout;
  for (const Descriptor* each : {&child.process.pidfd, &child.out, &child.err}) {
    watch(each->get(), &child);
  }
}

bool ChildPool::read_lines(Child& child, std::vector<ChildEvent>& events) {
  const auto take = [&](std::string_view text) {
    child.lines.feed(text, [&](std::string_view line) {
      ChildEvent event;
      event.tag = child.tag;
      event.text = line;
      events.push_back(std::move(event));
    });
  };
  return read_some(child.out, take);
}

bool ChildPool::read_error(Child& child) {
  const auto take = [&](std::string_view text) {
    child.error += text;
    if (child.error.size() > kept_error) child.error.erase(0, child.error.size() - kept_error);
  };
  return read_some(child.err, take);
}

// What it printed before it ended has been read, and a daemon of it may hold the pipes for ever.
void ChildPool::finish(std::list<Child>::iterator child, std::vector<ChildEvent>& events) {
  int status = 0;
  while (::waitpid(child->process.pid, &status, 0) < 0 && errno == EINTR) {
  }
  child->lines.finish([&](std::string_view line) {
    ChildEvent event;
    event.tag = child->tag;
    event.text = line;
    events.push_back(std::move(event));
  });
  ChildEvent event;
  event.tag = child->tag;
  event.ended = true;
  event.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  event.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  event.error = std::move(child->error);
  event.timed_out = child->timed_out;
  events.push_back(std::move(event));
  children_.erase(child);
}

std::optional<std::chrono::milliseconds> ChildPool::end_overdue() {
  const auto now = std::chrono::steady_clock::now();
  std::optional<std::chrono::milliseconds> next;
  for (Child& child : children_) {
    if (!child.until || child.killed) continue;
    if (*child.until <= now) {
      child.timed_out = true;
      if (ask_or_kill(child)) continue;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*child.until - now);
    next = std::min(next.value_or(left), left);
  }
  return next;
}

// Its end is seen like any other.
bool ChildPool::ask_or_kill(Child& child) {
  child.killed = child.asked_to_end || child.grace.count() == 0;
  child.asked_to_end = true;
  child.until = std::chrono::steady_clock::now() + child.grace;
  ::kill(-child.process.pid, child.killed ? SIGKILL : SIGTERM);
  return child.killed;
}

void ChildPool::end(std::size_t tag) {
  for (Child& child : children_) {
    if (child.tag == tag && !child.asked_to_end) ask_or_kill(child);
  }
}

std::vector<ChildEvent> ChildPool::wait(std::chrono::milliseconds most, int wake_fd) {
  std::vector<ChildEvent> events = std::exchange(refused_, {});
  std::array<pollfd, 2> waiting{pollfd{epoll_.get(), POLLIN, 0}, pollfd{wake_fd, POLLIN, 0}};
  constexpr std::int64_t longest = 3'600'000;  // a timer that is due later is looked at again
  std::int64_t left = most.count() < 0 ? -1 : std::min<std::int64_t>(most.count(), longest);
  if (const auto next = end_overdue()) {
    left = std::min<std::int64_t>(left < 0 ? longest : left, next->count());
  }
  ::poll(waiting.data(), waiting.size(), events.empty() ? static_cast<int>(left) : 0);

  std::array<epoll_event, 64> ready;
  const int count = ::epoll_wait(epoll_.get(), ready.data(), ready.size(), 0);
  std::set<void*> seen;
  for (int i = 0; i < count; ++i) seen.insert(ready[static_cast<std::size_t>(i)].data.ptr);
  for (auto child = children_.begin(); !seen.empty() && child != children_.end();) {
    const auto next = std::next(child);
    if (seen.erase(&*child) != 0) {
      // Asked before reading, so that nothing printed until then is missed.
      pollfd ended{child->process.pidfd.get(), POLLIN, 0};
      const bool over = ::poll(&ended, 1, 0) > 0;
      const bool more_lines = read_lines(*child, events);
      const bool more_error = read_error(*child);
      if (over && !more_lines && !more_error) finish(child, events);
    }
    child = next;
  }
  return events;
}

}  // namespace drydock
