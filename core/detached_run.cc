#include "detached_run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <vector>

#include "files.h"
#include "line_splitter.h"
#include "spawn.h"
#include "text.h"

namespace drydock {
namespace {

constexpr std::size_t longest_event = 4u << 20;

// The words before the command, the command, and its own words: whatever comes after a `--` is no
// option any more.
std::vector<std::string> words_of(const Arguments& arguments) {
  // By its own name, for whoever looks at the processes, unless that file was replaced meanwhile.
  std::error_code gone;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", gone);
  const bool there = std::filesystem::exists(self, gone);
  std::vector<std::string> words = {there ? self.string() : "/proc/self/exe"};
  for (std::size_t i = 0; i < arguments.words.size(); ++i) {
    const std::string& word = arguments.words[i];
    if (word != "--detach" && word != "--json" && word != "--events") words.push_back(word);
    if (i == arguments.command_at) words.emplace_back("--tell-until-started");
  }
  return words;
}

// In a session of its own, so that no terminal's signal reaches it.
Spawned start(const Arguments& arguments, const std::string* input, int out, int err) {
  SpawnRequest request;
  request.arguments = words_of(arguments);
  for (char** entry = environ; *entry != nullptr; ++entry) request.environment.emplace_back(*entry);
  if (arguments.from_stdin) request.input = STDIN_FILENO;
  Descriptor given;
  if (input != nullptr) {
    given = file_in_memory(*input);
    if (!given) {
      throw Error("the run cannot be started (" + std::string(std::strerror(errno)) +
                  "); raise the limit of open files");
    }
    request.input = given.get();
  }
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

// What it said on its standard error is a sentence after "drydock: ", which is said again, and
// details after two spaces.
std::vector<std::string> lines_of(const std::string& said) {
  std::vector<std::string> lines;
  std::istringstream in(said);
  for (std::string line; std::getline(in, line);) {
    for (const std::string_view prefix : {"drydock: ", "  "}) {
      if (line.starts_with(prefix)) line.erase(0, prefix.size());
    }
    lines.push_back(line);
  }
  return lines;
}

std::string how_it_ended(int status) {
  return "the process that was to perform the run ended " +
         (WIFSIGNALED(status) ? "by signal " + std::to_string(WTERMSIG(status))
                              : "with exit code " + std::to_string(WEXITSTATUS(status))) +
         " before the run began; `drydock status` says whether anything waits";
}

// The events of the run until it has begun, on a sink that may fail.
class Start {
 public:
  explicit Start(EventSink& sink) : sink_(&sink) {}
  std::uint64_t run() const { return run_; }
  void line(std::string_view text) {
    const auto event = Event::from_json_line(std::string(text));
    if (!event || run_ != 0) return;
    if (event->type == "run.started") run_ = event->run;
    try {
      if (sink_ != nullptr) sink_->event(*event);
    } catch (const std::exception&) {
      sink_ = nullptr;  // nobody reads any more; the run begins all the same
    }
  }

 private:
  EventSink* sink_;
  std::uint64_t run_ = 0;
};

}  // namespace

DetachedRun start_detached(const Arguments& arguments, const std::string* input, EventSink& sink,
                           const Cancellation& cancellation) {
  Pipe out, err;
  if (!out.open() || !err.open()) {
    throw Error("the run cannot be started (" + std::string(std::strerror(errno)) + ")");
  }
  const Spawned child = start(arguments, input, out.write.get(), err.write.get());
  out.write.close();
  err.write.close();

  Start begun(sink);
  LineSplitter lines(longest_event);
  std::string said;
  bool handed_on = false;
  while (out.read || err.read) {
    std::array<pollfd, 3> waiting{pollfd{out.read.get(), POLLIN, 0},
                                  pollfd{err.read.get(), POLLIN, 0},
                                  pollfd{handed_on ? -1 : cancellation.fd(), POLLIN, 0}};
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    const auto take = [&](std::string_view text) {
      lines.feed(text, [&](std::string_view line) { begun.line(line); });
    };
    if (waiting[0].revents != 0 && !read_some(out.read, take)) out.read.close();
    const auto keep = [&](std::string_view text) { said += text; };
    if (waiting[1].revents != 0 && !read_some(err.read, keep)) err.read.close();
    if (waiting[2].revents != 0) {
      handed_on = true;
      ::kill(child.pid, SIGTERM);  // it is our child and not reaped, so the pid is its own
    }
    if (begun.run() != 0) return {begun.run(), ExitCode::done, "", {}};
  }
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  const ExitCode code =
      WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::needs_person;
  const std::vector<std::string> sentences = lines_of(said);
  if (sentences.empty()) return {0, code, how_it_ended(status), {}};
  return {0, code, sentences.front(), all_but_first_of(sentences)};
}

}  // namespace drydock
