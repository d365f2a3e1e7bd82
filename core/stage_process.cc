#include "stage_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "line_splitter.h"
#include "process_info.h"
#include "spawn.h"

namespace drydock {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t longest_line = 1u << 20;

// One of the child's two output streams.
class OutputStream {
 public:
  explicit OutputStream(int stream) : stream_(stream), lines_(longest_line) {}

  // The end that the child writes to.
  Descriptor open() {
    Pipe pipe;
    if (!pipe.open()) return {};
    read_ = std::move(pipe.read);
    return std::move(pipe.write);
  }
  int fd() const { return read_.get(); }
  template <class Emit>
  void take(Emit&& emit) {
    std::array<char, 65536> buffer;
    const ssize_t got = ::read(read_.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {
      read_.close();
      return;
    }
    lines_.feed({buffer.data(), static_cast<std::size_t>(got)},
                [&](std::string_view line) { emit(stream_, line); });
  }
  template <class Emit>
  void finish(Emit&& emit) {
    lines_.finish([&](std::string_view line) { emit(stream_, line); });
  }

 private:
  int stream_;
  Descriptor read_;
  LineSplitter lines_;
};

std::vector<std::string> list(const char* const* items) {
  std::vector<std::string> result;
  for (; items != nullptr && *items != nullptr; ++items) result.emplace_back(*items);
  return result;
}

// Input that the step holds in memory becomes a file without a name, so nobody must feed a pipe.
std::optional<Descriptor> input_of(const drydock_process& process, std::string& reason) {
  if (process.input_file != nullptr) {
    Descriptor file(::open(process.input_file, O_RDONLY | O_CLOEXEC));
    if (file) return file;
    reason = std::string(process.input_file) + " cannot be read: " + std::strerror(errno);
    return std::nullopt;
  }
  if (process.input.size == 0) return Descriptor();
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  std::string_view rest(process.input.data, process.input.size);
  while (file && !rest.empty()) {
    const ssize_t written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) file.close();
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (file && ::lseek(file.get(), 0, SEEK_SET) == 0) return file;
  reason = std::string("its input cannot be kept: ") + std::strerror(errno);
  return std::nullopt;
}

Descriptor output_file(const char* path) {
  Descriptor file(::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file && ::fchmod(file.get(), 0600) != 0) file.close();
  return file;
}

// When the child must be ended, and how far that has come.
class Ending {
 public:
  Ending(pid_t pid, milliseconds timeout, milliseconds grace) : pid_(pid), grace_(grace) {
    if (timeout.count() > 0) next_ = Clock::now() + timeout;
  }
  int wait_ms() const {
    if (next_ == never) return -1;
    const auto left = std::chrono::ceil<milliseconds>(next_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3600000));
  }
  void cancel() {
    cancelled_ = true;
    terminate();
  }
  // Who hears its lines has heard enough.
  void stop() {
    stopped_ = true;
    terminate();
  }
  void watch_the_clock() {
    if (Clock::now() < next_) return;
    if (asked_) {
      ::kill(pid_, SIGKILL);
      next_ = never;
    } else {
      timed_out_ = true;
      terminate();
    }
  }
  bool cancelled() const { return cancelled_; }
  bool timed_out() const { return timed_out_; }
  bool stopped() const { return stopped_; }

 private:
  void terminate() {
    if (asked_) return;
    asked_ = true;
    ::kill(pid_, SIGTERM);
    next_ = Clock::now() + grace_;
  }

  pid_t pid_;
  milliseconds grace_;
  static constexpr Clock::time_point never = Clock::time_point::max();
  Clock::time_point next_ = never;
  bool asked_ = false, cancelled_ = false, timed_out_ = false, stopped_ = false;
};

bool is_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&waiting, 1, 0) == 1;
}

}  // namespace

drydock_status run_command(const CommandContext& context, const drydock_process& process,
                           drydock_exit& exit, std::string& reason) {
  SpawnRequest request;
  request.arguments = list(process.arguments);
  if (request.arguments.empty()) {
    reason = "The stage asked to run a command without a name.";
    return DRYDOCK_BUG;
  }
  const std::vector<std::string> additions = list(process.environment);
  for (const std::string& addition : additions) {
    if (addition.find('=') != std::string::npos && addition[0] != '=') continue;
    // Not shown: it may be a secret without its name.
    reason = "The stage asked to run '" + request.arguments[0] +
             "' with a variable that is no NAME=value.";
    return DRYDOCK_BUG;
  }
  if (process.timeout_ms < 0) {
    reason = "The stage asked to run '" + request.arguments[0] + "' for " +
             std::to_string(process.timeout_ms) + " ms.";
    return DRYDOCK_BUG;
  }
  if (is_readable(context.cancel_fd)) return DRYDOCK_CANCELLED;
  const auto cannot_start = [&](const std::string& why) {
    reason = "'" + request.arguments[0] + "' could not be started: " + why + ".";
    return DRYDOCK_FAILED;
  };
  std::string why;
  const auto input = input_of(process, why);
  if (!input) return cannot_start(why);
  OutputStream out(1), err(2);
  Descriptor out_write =
      process.output_file == nullptr ? out.open() : output_file(process.output_file);
  if (!out_write) {
    return cannot_start(
        std::string(process.output_file == nullptr ? "its output" : process.output_file) +
        " cannot be opened: " + std::strerror(errno));
  }
  Descriptor err_write = err.open();
  if (!err_write) return cannot_start("no more files can be opened");

  request.environment = with_additions(context.environment, additions);
  request.environment.push_back(worker_mark(::getpid(), process_start_time(::getpid())));
  request.directory = process.directory == nullptr ? context.deployment_dir : process.directory;
  request.input = input->get();
  request.output = out_write.get();
  request.error = err_write.get();
  request.own_session = false;  // it stays in the worker's group, and ends with it
  const Spawned child = spawn(request);
  if (child.pid < 0) return cannot_start(child.refused);
  out_write.close();
  err_write.close();

  Ending ending(child.pid, milliseconds(process.timeout_ms), context.grace);
  const auto emit = [&](int stream, std::string_view line) {
    if (process.on_line == nullptr) {
      context.line(stream, line);
    } else if (!ending.stopped() &&
               process.on_line(process.user, stream, {line.data(), line.size()}) != DRYDOCK_OK) {
      ending.stop();
    }
  };
  // After its end what it printed is still read, but a daemon of it may print for ever.
  for (int turns_after_end = 32; turns_after_end > 0;) {
    std::array<pollfd, 4> waiting{pollfd{child.pidfd.get(), POLLIN, 0}, pollfd{out.fd(), POLLIN, 0},
                                  pollfd{err.fd(), POLLIN, 0},
                                  pollfd{ending.cancelled() ? -1 : context.cancel_fd, POLLIN, 0}};
    ::poll(waiting.data(), waiting.size(), ending.wait_ms());
    if (waiting[1].revents != 0) out.take(emit);
    if (waiting[2].revents != 0) err.take(emit);
    if (waiting[0].revents != 0) {
      --turns_after_end;
      if (waiting[1].revents == 0 && waiting[2].revents == 0) break;
      continue;
    }
    if (waiting[3].revents != 0) ending.cancel();
    ending.watch_the_clock();
  }
  out.finish(emit);
  err.finish(emit);

  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = ::waitpid(child.pid, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  // Something else in the plugin may have waited for all children.
  const bool known = reaped == child.pid;
  exit.code = known && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  exit.signal = known && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit.timed_out = ending.timed_out() ? 1 : 0;
  exit.stopped = ending.stopped() ? 1 : 0;
  return ending.cancelled() ? DRYDOCK_CANCELLED : DRYDOCK_OK;
}

}  // namespace drydock
