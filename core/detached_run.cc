#include "detached_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "line_splitter.h"
#include "spawn.h"

namespace drydock {
namespace {

constexpr std::size_t longest_line = 4u << 20;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error("the run cannot be started (" + std::string(std::strerror(errno)) + ")");
    }
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
  Descriptor read, write;
};

std::vector<std::string> words_of(const Arguments& arguments) {
  std::vector<std::string> words = {"/proc/self/exe"};
  for (const std::string& word : arguments.words) {
    if (word != "--detach" && word != "--json" && word != "--events") words.push_back(word);
  }
  words.emplace_back("--tell-until-started");
  return words;
}

// In a session of its own, so that no terminal's signal reaches it.
Spawned start(const Arguments& arguments, int out, int err) {
  SpawnRequest request;
  request.arguments = words_of(arguments);
  for (char** entry = environ; *entry != nullptr; ++entry) request.environment.emplace_back(*entry);
  request.output = out;
  request.error = err;
  request.outlives_us = true;
  Spawned child = spawn(request);
  if (child.pid <= 0) throw Error("the run cannot be started (" + child.refused + ")");
  return child;
}

// False: the other end is closed.
bool read_some(Descriptor& from, const std::function<void(std::string_view)>& take) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
  return true;
}

}  // namespace

DetachedRun start_detached(const Arguments& arguments, EventSink& sink) {
  Pipe out, err;
  const pid_t pid = start(arguments, out.write.get(), err.write.get()).pid;
  out.write.close();
  err.write.close();

  DetachedRun result;
  LineSplitter lines(longest_line);
  const auto take_line = [&](std::string_view line) {
    const auto event = Event::from_json_line(std::string(line));
    if (!event || result.run != 0) return;
    if (event->type == "run.started") {
      result.run = event->run;
    } else {
      sink.event(*event);
    }
  };
  while (out.read || err.read) {
    std::array<pollfd, 2> waiting{pollfd{out.read.get(), POLLIN, 0},
                                  pollfd{err.read.get(), POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0 &&
        !read_some(out.read, [&](std::string_view text) { lines.feed(text, take_line); })) {
      out.read.close();
    }
    if (waiting[1].revents != 0 &&
        !read_some(err.read, [&](std::string_view text) { result.said += text; })) {
      err.read.close();
    }
    if (result.run != 0) return result;
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.code =
      WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::needs_person;
  return result;
}

}  // namespace drydock
