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
#include <utility>

#include "error.h"
#include "files.h"
#include "process.h"

namespace drydock {
namespace {

constexpr std::size_t longest_line = 4u << 20;  // as long as an event may be
constexpr std::size_t kept_error = 16u << 10;
constexpr const char* never_started = "it was ended before it could be started";

// That many files can be opened once it is gone: what starts a child leaves others of this process
// some, for what they keep.
class SpareFiles {
 public:
  bool open() {
    for (Descriptor& each : files_) {
      each = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!each) return false;
    }
    return true;
  }

 private:
  std::array<Descriptor, 8> files_;
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

// False: it is another user's, and goes on.
bool signal_group(pid_t leader, int signal) {
  return ::kill(-leader, signal) == 0 || errno != EPERM;
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
    if (child.outlives_us || !signal_group(child.process.pid, SIGKILL)) {
      forget_child(child.process.pid);
    } else {
      reap_child(child.process.pid);
    }
  }
}

void ChildPool::watch(int fd, void* child) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = child;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void ChildPool::refuse(std::size_t tag, const Refusal& refusal) {
  ChildEvent event;
  event.tag = tag;
  event.ended = true;
  event.error = refusal.why;
  event.for_want = refusal.for_want;
  refused_.push_back(std::move(event));
}

// In their order: one that came later does not overtake those that wait.
void ChildPool::start(std::size_t tag, const ChildCommand& command, const std::string& input) {
  if (waiting_.empty()) {
    const Refusal refusal = try_to_start(tag, command, input);
    if (refusal.why.empty()) return;
    if (!refusal.for_want || children_.empty()) return refuse(tag, refusal);
  }
  waiting_.push_back({tag, command, input});
}

void ChildPool::start_waiting() {
  while (!waiting_.empty()) {
    const Waiting& next = waiting_.front();
    const Refusal refusal = try_to_start(next.tag, next.command, next.input);
    if (!refusal.why.empty()) {
      if (refusal.for_want && !children_.empty()) return;
      refuse(next.tag, refusal);
    }
    waiting_.pop_front();
  }
}

ChildPool::Refusal ChildPool::try_to_start(std::size_t tag, const ChildCommand& command,
                                           const std::string& input) {
  constexpr const char* remedy =
      "; raise the limits (`ulimit -n`, `ulimit -u`), or lower 'parallel:'";
  Pipe out, err;
  SpareFiles spare;
  const Descriptor given = file_in_memory(input);
  if (!given || !out.open() || !err.open() || !spare.open()) {
    const int error = errno;
    return {"no more files can be opened (" + std::string(std::strerror(error)) + ")" + remedy,
            is_for_want(error)};
  }
  for (const Descriptor* each : {&out.read, &err.read}) {
    ::fcntl(each->get(), F_SETFL, O_NONBLOCK);  // of our end only
  }
  SpawnRequest request;
  request.arguments = command.words;
  request.directory = command.directory;
  for (char** entry = environ; *entry != nullptr; ++entry) request.environment.emplace_back(*entry);
  request.input = given.get();
  request.output = out.write.get();
  request.error = err.write.get();
  request.outlives_us = command.outlives_us;
  Spawned process = spawn_child(request);
  if (process.pid < 0) {
    return {process.refused + (process.for_want ? remedy : ""), process.for_want};
  }
  children_.push_back({tag, std::move(process), command.outlives_us, std::move(out.read),
                       std::move(err.read), LineSplitter(longest_line), "", command.grace,
                       std::nullopt});
  Child& child = children_.back();
  if (command.timeout) child.until = std::chrono::steady_clock::now() + *command.timeout;
  for (const Descriptor* each : {&child.process.pidfd, &child.out, &child.err}) {
    watch(each->get(), &child);
  }
  return {};
}

bool ChildPool::read_lines(Child& child, std::vector<ChildEvent>& events) {
  const auto take = [&](std::string_view text) {
    child.lines.feed(text, [&](std::string_view line) {
      child.spoke = true;
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
  if (child->is_anothers) forget_child(child->process.pid);
  const int status = child->is_anothers ? SIGKILL : reap_child(child->process.pid);
  child->lines.finish([&](std::string_view line) {
    child->spoke = true;
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
  event.spoke = child->spoke;
  events.push_back(std::move(event));
  children_.erase(child);
}

std::optional<std::chrono::milliseconds> ChildPool::end_overdue(std::vector<ChildEvent>& events) {
  const auto now = std::chrono::steady_clock::now();
  std::optional<std::chrono::milliseconds> next;
  for (auto each = children_.begin(); each != children_.end();) {
    const auto child = each++;
    if (!child->until || child->killed) continue;
    if (*child->until <= now) {
      child->timed_out = true;
      if (!ask_or_kill(*child)) {
        child->is_anothers = true;
        finish(child, events);
        continue;
      }
      if (child->killed) continue;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*child->until - now);
    next = std::min(next.value_or(left), left);
  }
  return next;
}

bool ChildPool::ask_or_kill(Child& child) {
  child.killed = child.asked_to_end || child.grace.count() == 0;
  child.asked_to_end = true;
  child.until = std::chrono::steady_clock::now() + child.grace;
  return signal_group(child.process.pid, child.killed ? SIGKILL : SIGTERM);
}

void ChildPool::end(std::size_t tag) {
  for (Child& child : children_) {
    if (child.tag == tag && !child.asked_to_end) ask_or_kill(child);
  }
  const auto is_meant = [&](const Waiting& each) { return each.tag == tag; };
  for (auto n = std::erase_if(waiting_, is_meant); n > 0; --n) refuse(tag, {never_started});
}

void ChildPool::drop_waiting() {
  for (const Waiting& each : std::exchange(waiting_, {})) refuse(each.tag, {never_started});
}

bool ChildPool::has(std::size_t tag) const {
  const auto is_meant = [&](const auto& each) { return each.tag == tag; };
  return std::any_of(children_.begin(), children_.end(), is_meant) ||
         std::any_of(waiting_.begin(), waiting_.end(), is_meant);
}

std::vector<ChildEvent> ChildPool::wait(std::chrono::milliseconds most, int wake_fd) {
  std::vector<ChildEvent> events = std::exchange(refused_, {});
  std::array<pollfd, 2> waiting{pollfd{epoll_.get(), POLLIN, 0}, pollfd{wake_fd, POLLIN, 0}};
  constexpr std::int64_t longest = 3'600'000;  // a timer that is due later is looked at again
  std::int64_t left = most.count() < 0 ? -1 : std::min<std::int64_t>(most.count(), longest);
  if (const auto next = end_overdue(events)) {
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
  start_waiting();
  reap_orphans();
  return events;
}

}  // namespace drydock
