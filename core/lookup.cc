#include "lookup.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "deployment.h"
#include "error.h"
#include "recovery.h"
#include "text.h"
#include "workbench.h"

namespace drydock {

Lookup::Lookup(const Arguments& arguments)
    : dir(deployment_dir(arguments.directory, {})), state(state_of(arguments, dir)) {
  if (::access(state.journal().c_str(), F_OK) == 0) {
    journal = std::make_unique<Journal>(state.journal());
  } else if (errno == EACCES) {
    // Not the same as nothing: a run may wait there.
    throw Error("the journal " + state.journal() + " cannot be read (" + std::strerror(errno) +
                "); run drydock as the user who owns it");
  }
}

const Journal& Lookup::runs() const {
  if (!journal)
    throw Error("nothing was ever run on " + dir + " (there is no " + state.journal() + ")");
  return *journal;
}

RunRecord Lookup::run(const Arguments& arguments) const {
  if (arguments.positional.empty()) {
    if (const auto last = runs().last_run()) return *last;
    throw Error("nothing was ever run on " + dir);
  }
  const std::string& named = arguments.positional.front();
  const auto number = parse_number(named);
  if (!number)
    throw Error("found '" + named +
                "' where the number of a run is needed; `drydock history` lists them");
  if (const auto found = runs().run(*number)) return *found;
  throw Error("there is no run " + named + " of " + dir + "; `drydock history` lists them");
}

std::optional<Waiting> Lookup::interrupted() const {
  if (!journal) return std::nullopt;
  const std::optional<RunRecord> run = interrupted_run(*journal, state);
  if (!run) return std::nullopt;
  return interruption_of(*journal, *run, dir, state);
}

std::string Lookup::interruption() const {
  const std::optional<Waiting> waiting = interrupted();
  return waiting ? waiting->sentence() : "";
}

bool Lookup::is_going_on(const RunRecord& run) const {
  return (run.state == RunState::running || run.state == RunState::rolling_back) &&
         DeploymentLock::held(state).has_value();
}

void mention_interruption(const Lookup& lookup) {
  const std::string interruption = lookup.interruption();
  if (!interruption.empty()) std::cerr << "drydock: " << make_visible(interruption) << "\n";
}

void mention_interruption(const Arguments& arguments) {
  try {
    mention_interruption(Lookup(arguments));
  } catch (const Error&) {
  }
}

}  // namespace drydock
