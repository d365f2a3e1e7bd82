#include "follow.h"

#include <poll.h>

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

bool has_ended(const Lookup& lookup, std::uint64_t run, int quiet_rounds) {
  if (!DeploymentLock::held(lookup.state)) return true;
  const auto record = lookup.runs().run(run);
  const bool works =
      record && (record->state == RunState::running || record->state == RunState::rolling_back);
  return !works && quiet_rounds >= quiet_rounds_at_the_end;
}

}  // namespace

bool follow_lines(const std::string& file, const Lookup& lookup, std::uint64_t run,
                  const Cancellation& cancellation,
                  const std::function<void(const std::string&)>& on_line) {
  std::ifstream in(file, std::ios::binary);
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
    pollfd cancelled{cancellation.fd(), POLLIN, 0};
    if (::poll(&cancelled, 1, look_again_ms) > 0) return false;
  }
}

ExitCode attach_to(const Lookup& lookup, std::uint64_t run, const Cancellation& cancellation,
                   EventSink& sink) {
  const bool ended = follow_lines(lookup.state.logs(run) + "/events.jsonl", lookup, run,
                                  cancellation, [&](const std::string& line) {
                                    if (const auto event = Event::from_json_line(line)) {
                                      sink.event(*event);
                                    }
                                  });
  if (!ended) return ExitCode::done;
  const auto record = lookup.runs().run(run);
  if (record && record->exit_code >= 0) return static_cast<ExitCode>(record->exit_code);
  throw Error(describe_interruption(lookup.runs(), *record, lookup.dir, lookup.state),
              ExitCode::busy);
}

}  // namespace drydock
