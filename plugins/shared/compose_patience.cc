#include "compose_patience.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace drydock::compose {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{60};
constexpr std::chrono::milliseconds poll_interval{250};
constexpr int most_repetitions = 3;  // of a command that loses an engine which answers others

bool changes_things(const Call& call) {
  const std::string step = call.step();
  return step != "observe" && step != "plan";
}

// The time of this file is when the run first missed the engine: without it each of the many steps
// of a rollback would wait its own minute.
std::string missed_file(const Call& call) {
  const std::filesystem::path of_run = std::filesystem::path(call.private_dir()).parent_path();
  return (of_run / (".engine-missed-" + std::to_string(call.run_id()))).string();
}

// What is left of the minute. The clock may be set in between: never more than all of it.
std::chrono::seconds patience_left(const std::string& missed) {
  const int file = ::open(missed.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
  if (file < 0) return patience;
  struct stat status {};
  const bool known = ::fstat(file, &status) == 0;
  ::close(file);
  if (!known) return patience;
  const std::chrono::seconds ago(::time(nullptr) - status.st_mtim.tv_sec);
  return std::clamp(patience - ago, std::chrono::seconds(0), patience);
}

bool came_back(const Call& call) {
  const std::string missed = missed_file(call);
  const std::chrono::seconds left = patience_left(missed);
  if (left.count() == 0) return false;
  call.warn("the Docker engine does not answer; waiting up to " + std::to_string(left.count()) +
            " s for it");
  for (const auto until = Clock::now() + left; Clock::now() < until;) {
    pause_for(call, poll_interval);
    Process question{{"docker", "version", "--format", "{{.Server.Version}}"}};
    question.timeout = std::max(
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()), poll_interval);
    if (!call.capture(std::move(question)).exit.ok()) continue;
    call.info("the Docker engine answers again");
    return true;
  }
  return false;
}

}  // namespace

bool engine_is_away(const Captured& captured) {
  const std::string& said = captured.err.empty() ? captured.out : captured.err;
  return !captured.exit.ok() &&
         (said.find("Cannot connect to the Docker daemon") != std::string::npos ||
          said.find("error during connect") != std::string::npos);
}

Captured answer_of(const Call& call, const std::function<Captured()>& command) {
  Captured captured = command();
  if (!changes_things(call)) return captured;
  for (int i = 0; i < most_repetitions && engine_is_away(captured) && came_back(call); ++i) {
    captured = command();
  }
  // The next time it is away has a minute of its own, in whichever step or command that is.
  if (!engine_is_away(captured)) ::unlink(missed_file(call).c_str());
  return captured;
}

Captured answer_of(const Call& call, const Process& process) {
  return answer_of(call, [&] { return call.capture(process); });
}

void pause_for(const Call& call, std::chrono::milliseconds duration) {
  pollfd cancel{call.cancel_fd(), POLLIN, 0};
  ::poll(&cancel, 1, static_cast<int>(duration.count()));
  call.throw_if_cancelled();
}

}  // namespace drydock::compose
