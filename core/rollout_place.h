// Where the state of rollouts is, which of them is meant, and who works on it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "command_line.h"
#include "error.h"
#include "rollout_commands.h"
#include "rollout_store.h"
#include "state_dir.h"

namespace drydock {

// Of the rollouts whose files are in one folder. Logs, gates and locks of a rollout are always
// there, wherever the rest is kept.
class RolloutPlace {
 public:
  RolloutPlace(const Arguments& arguments, const std::string& folder);

  // Throws Error.
  std::unique_ptr<RolloutStore> open() const;
  // The same, but null where no rollout was ever begun.
  std::unique_ptr<RolloutStore> open_existing() const;
  // Private files of one rollout, and its lock.
  std::string of(const std::string& rollout) const { return state_ + "/rollouts/" + rollout; }
  const std::string& state() const { return state_; }
  // Which a person finds that rollout with.
  RolloutCommands commands(const RolloutPlan& plan) const;

 private:
  std::string database() const { return state_ + "/rollouts.db"; }

  std::string folder_, state_;
  std::string url_;  // "": SQLite
  std::string state_words_, plugin_words_;
};

// Of a rollout on this machine, so that no two of its supervisors work at once. Throws Error (exit
// code 4) that names who has it.
DeploymentLock lock_of(const RolloutPlace& place, const RolloutPlan& plan);

// This process as its supervisor, once it has that lock.
Supervisorship supervisorship_of(const RolloutPlace& place, const RolloutPlan& plan);

struct FoundRollout {
  RolloutPlace place;
  std::unique_ptr<RolloutStore> store;
  RolloutRecord record;
  // Does somebody carry it out now?
  bool supervised() const;
  RolloutCommands commands() const { return place.commands(record.plan); }
  // As it is now, or one that was begun since from its file (where several machines share the
  // state: with its name). Throws Error.
  RolloutRecord now() const;
  // Whoever is to change it does so once nobody else can.
  void read_again() { record = now(); }
};

// The one that the command line names, by its file or by its name in this folder. Throws Error.
FoundRollout find_rollout(const Arguments& arguments);

// In one folder a name is that of one file, whose rollouts another one's would hide: what refuses
// the plan where `earlier` is of another file that still has it.
std::optional<Error> name_refusal(const RolloutPlan& plan, const RolloutRecord& earlier);

// That an earlier rollout has not ended, and how to go on with it (exit code 4).
Error not_ended(const RolloutPlace& place, const RolloutRecord& earlier);

// What `rollout run` would be refused with since another file has, or had, the name of this plan.
// Changes nothing. Where several machines share the state a name is one rollout, whatever its file.
// Throws Error: the state cannot be read.
std::optional<Error> refused_for_its_name(const Arguments& arguments, const RolloutPlan& plan);

// The folder that the command line names without a rollout.
std::string folder_of_arguments(const Arguments& arguments);
std::string folder_of_file(const std::string& file);

}  // namespace drydock
