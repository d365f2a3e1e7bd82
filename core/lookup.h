// What the commands that look at runs need: a deployment and its state, and no pipeline.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "command_line.h"
#include "journal.h"
#include "recovery.h"
#include "state_dir.h"

namespace drydock {

struct Lookup {
  // Throws Error when there is no such deployment, or its journal cannot be read.
  explicit Lookup(const Arguments& arguments);
  // Throws Error when nothing was ever run.
  const Journal& runs() const;
  // The run that the command line names, else the last. Throws Error when there is none.
  RunRecord run(const Arguments& arguments) const;
  // Which run was interrupted and waits, in which stage and step, and how to go on.
  std::optional<Waiting> interrupted() const;
  std::string interruption() const;  // the same as a sentence; "": none
  // Does somebody work on it now?
  bool is_going_on(const RunRecord& run) const;

  std::string dir;
  StateDir state;
  std::unique_ptr<Journal> journal;  // null: nothing was ever run
};

// On standard error: which run was interrupted and waits. For commands whose subject is another
// one; what keeps a deployment from being looked at is not theirs to say.
void mention_interruption(const Lookup& lookup);
void mention_interruption(const Arguments& arguments);

}  // namespace drydock
