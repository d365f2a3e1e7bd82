#include "capture_command.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "process.h"
#include "spawn.h"

namespace drydock {
namespace {

// Reads what is there. Closes the descriptor at its end.
void drain(Descriptor& from, std::string& into, std::size_t limit, bool& cut) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    from.close();
    return;
  }
  const std::size_t room = limit - into.size();
  cut = cut || static_cast<std::size_t>(got) > room;
  into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
}

}  // namespace

CapturedCommand capture_command(const CaptureRequest& request) {
  CapturedCommand result;
  Pipe out, err;
  if (!out.open() || !err.open()) {
    result.not_started = "no more files can be opened";
    return result;
  }

  SpawnRequest spawning;
  spawning.arguments = request.arguments;
  spawning.environment = request.environment;
  if (request.environment.empty()) {
    for (char** entry = environ; *entry != nullptr; ++entry) spawning.environment.push_back(*entry);
  }
  spawning.directory = request.directory;
  spawning.output = out.write.get();
  spawning.error = err.write.get();
  const Spawned child = spawn_child(spawning);
  if (child.pid < 0) {
    result.not_started = child.refused;
    return result;
  }
  out.write.close();
  err.write.close();

  const auto deadline = std::chrono::steady_clock::now() + request.timeout;
  for (bool ended = false; !ended && !result.timed_out && !result.cancelled && !result.cut;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    std::array<pollfd, 4> waiting{
        pollfd{child.pidfd.get(), POLLIN, 0}, pollfd{out.read.get(), POLLIN, 0},
        pollfd{err.read.get(), POLLIN, 0}, pollfd{request.cancel_fd, POLLIN, 0}};
    const int ready = ::poll(waiting.data(), waiting.size(),
                             static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60000)));
    result.timed_out = ready == 0 && std::chrono::steady_clock::now() >= deadline;
    result.cancelled = waiting[3].revents != 0;
    if (waiting[1].revents != 0) drain(out.read, result.out, request.limit, result.cut);
    if (waiting[2].revents != 0) drain(err.read, result.err, request.limit, result.cut);
    // What it printed before it ended is read first; a daemon of it may hold the pipes for ever.
    ended = waiting[0].revents != 0 && waiting[1].revents == 0 && waiting[2].revents == 0;
  }
  ::kill(-child.pid, SIGKILL);
  const int status = reap_child(child.pid);
  if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

std::string CapturedCommand::describe() const {
  if (!not_started.empty()) return "could not be started: " + not_started;
  if (timed_out) return "ran longer than allowed";
  if (cancelled) return "was cancelled";
  if (cut) return "printed more than allowed";
  std::string text =
      code >= 0 ? "exit code " + std::to_string(code) : "signal " + std::to_string(signal);
  std::string line = err;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  if (const std::size_t end = line.rfind('\n'); end != std::string::npos) line.erase(0, end + 1);
  return line.empty() ? text : text + ": " + line;
}

}  // namespace drydock
