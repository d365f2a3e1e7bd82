#include "follow.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "error.h"
#include "recovery.h"

namespace drydock {
namespace {

constexpr int look_again_ms = 100;
// Its last lines come after its end is in the journal, and another run may hold the lock by then.
constexpr int quiet_rounds_at_the_end = 5;

bool is_half_way(const RunRecord& run) {
  return run.state == RunState::running || run.state == RunState::rolling_back;
}

// The exit code comes last: until then the run tells under `finally` how it went.
bool has_ended(const Lookup& lookup, std::uint64_t run, int quiet_rounds) {
  if (!DeploymentLock::held(lookup.state)) return true;
  const auto record = lookup.runs().run(run);
  return record && !is_half_way(*record) && record->exit_code >= 0 &&
         quiet_rounds >= quiet_rounds_at_the_end;
}

// False: cancelled, or nobody reads. A pipe's other end is closed when its reader is killed, a
// socket's when a link is lost.
bool pause(const Cancellation& cancellation, int output) {
  std::array<pollfd, 2> waiting{pollfd{cancellation.fd(), POLLIN, 0}, pollfd{output, 0, 0}};
  return ::poll(waiting.data(), waiting.size(), look_again_ms) <= 0;
}

}  // namespace

bool follow_lines(const std::string& file, const Lookup& lookup, std::uint64_t run,
                  const Cancellation& cancellation,
                  const std::function<void(const std::string&)>& on_line, int output) {
  std::ifstream in(file, std::ios::binary);
  // A run that has just begun is in the journal a moment before it has a log.
  while (!in && !has_ended(lookup, run, quiet_rounds_at_the_end)) {
    if (!pause(cancellation, output)) return false;
    in.open(file, std::ios::binary);
  }
  if (!in) {
    throw Error("the log " + file + " cannot be read (" + std::strerror(errno) +
                "); was it removed?");
  }
  std::string line;
  for (int quiet = 0;; ++quiet) {
    // Asked before reading, so that nothing written until then is missed.
    const bool last = has_ended(lookup, run, quiet);
    for (std::string more; std::getline(in, more); quiet = 0) {
      line += more;
      if (in.eof()) break;  // its end is still to come
      on_line(line);
      line.clear();
    }
    in.clear();
    if (last) return true;
    if (!pause(cancellation, output)) return false;
  }
}

std::optional<ExitCode> attach_to(const Lookup& lookup, std::uint64_t run,
                                  const Cancellation& cancellation, EventSink& sink) {
  bool shown = true;
  const auto show = [&](const std::string& line) {
    try {
      if (const auto event = Event::from_json_line(line); event && shown) sink.event(*event);
    } catch (const std::exception&) {
      shown = false;  // nobody reads any more; the exit code is still of use
    }
  };
  const std::string events = lookup.state.logs(run) + "/events.jsonl";
  if (!follow_lines(events, lookup, run, cancellation, show)) return std::nullopt;
  const auto record = lookup.runs().run(run);
  if (record && is_half_way(*record)) {
    throw Error(describe_interruption(lookup.runs(), *record, lookup.dir, lookup.state),
                ExitCode::busy);
  }
  if (record && record->exit_code >= 0) return static_cast<ExitCode>(record->exit_code);
  const std::string number = std::to_string(run);
  throw Error("run " + number + " ended" +
                  (record ? " as " + std::string(name_of(record->state)) : "") +
                  ", and its process died before it had told so; see `" +
                  command_for(lookup.dir, lookup.state.path(), "show " + number) + "`",
              ExitCode::needs_person);
}

}  // namespace drydock
