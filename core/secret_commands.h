// The secrets of one environment that commands deliver: these are performed beside whatever else
// goes on, one after the other, before its own command gets them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "capture_command.h"
#include "child_pool.h"
#include "rollout_plan.h"

namespace drydock {

class SecretCommands {
 public:
  // What is to be performed next. nullopt: every command has ended, or one has failed.
  std::optional<ChildCommand> next(const RolloutTarget& target) const;
  // What has happened to it.
  void take(const RolloutTarget& target, const ChildEvent& event);
  // By the secrets' names.
  const std::map<std::string, CapturedCommand>& ended() const { return ended_; }

 private:
  // The secret that next() is about; the end of the target's secrets: none.
  std::map<std::string, SecretSource>::const_iterator open(const RolloutTarget& target) const;

  CapturedCommand going_on_;
  std::map<std::string, CapturedCommand> ended_;
};

}  // namespace drydock
