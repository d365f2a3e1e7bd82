// What a rollout that is given up leaves behind: runs that go on by themselves.
#pragma once

#include <string>
#include <vector>

#include "rollout_store.h"

namespace drydock {

struct LeftBehind {
  std::string name;      // "eu-1 (run 3)"
  std::string sentence;  // what goes on there, and what it needs
};

// Of those environments of which the record says that something has begun, and not how it ended.
std::vector<LeftBehind> left_behind(const RolloutPlan& plan,
                                    const std::vector<TargetRecord>& targets);

}  // namespace drydock
