// attach, cancel and logs: runs that another process performs.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "commands.h"
#include "descriptor.h"
#include "follow.h"
#include "json_text.h"
#include "recovery.h"
#include "text.h"
#include "workbench.h"

namespace drydock {

ExitCode command_attach(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const RunRecord run = lookup.run(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  const auto code = attach_to(lookup, run.id, bench.cancellation(), bench.sink());
  if (!code && !arguments.json && !arguments.events) {
    const std::string number = std::to_string(run.id);
    std::cout << "\nrun " << number << " goes on; cancel it with: "
              << command_for(lookup.dir, lookup.state.path(), "cancel " + number) << "\n";
  }
  bench.print_document();
  return code.value_or(ExitCode::done);
}

ExitCode command_cancel(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const RunRecord run = lookup.run(arguments);
  const std::string number = std::to_string(run.id);
  if (!lookup.is_going_on(run)) {
    const std::string interruption = lookup.interruption();
    if (!interruption.empty()) throw Error(interruption, ExitCode::busy);
    throw Error("run " + number + " is not going on (it is " + state_in_words(run, false) +
                "), so there is nothing to cancel; `drydock status` shows what is");
  }
  if (run.state == RunState::rolling_back) {
    throw Error("run " + number + " is being rolled back already, which is not cancelled; `" +
                command_for(lookup.dir, lookup.state.path(), "attach " + number) + "` shows it");
  }
  const std::string request = lookup.state.cancel_request(run.id);
  make_private_dir(lookup.state.logs(run.id));
  const Descriptor file(::open(request.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    throw Error("run " + number + " cannot be asked to cancel: " + request + " cannot be made (" +
                std::strerror(errno) + "); check who owns it and whether the disk is writable");
  }
  if (arguments.json) {
    std::cout << indented({{"run", run.id}, {"cancel_requested", true}});
  } else {
    std::cout << "run " << number
              << " is asked to cancel; unless it is ending already it is rolled back. See: "
              << command_for(lookup.dir, lookup.state.path(), "attach " + number) << "\n";
  }
  return ExitCode::done;
}

ExitCode command_logs(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const RunRecord run = lookup.run(arguments);
  const std::string file =
      lookup.state.logs(run.id) + (arguments.events ? "/events.jsonl" : "/run.log");
  const auto print = [&](const std::string& line) {
    if (arguments.from > 1) {
      const auto event = Event::from_json_line(line);
      if (event && event->seq < arguments.from) return;
    }
    std::cout << line << "\n";
    if (arguments.follow) std::cout.flush();
  };
  if (arguments.follow) {
    Cancellation never;
    if (!follow_lines(file, lookup, run.id, never, print, STDOUT_FILENO)) return ExitCode::done;
    mention_interruption(lookup);
    return ExitCode::done;
  }
  std::ifstream log(file);
  if (!log) throw Error("the log " + file + " cannot be read; was it removed?");
  for (std::string line; std::getline(log, line);) print(line);
  std::cout.flush();
  mention_interruption(lookup);
  return ExitCode::done;
}

}  // namespace drydock
