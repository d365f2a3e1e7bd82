// The old template: what the operator's `.env` was made from.
#pragma once

#include <drydock/stage.hpp>
#include <optional>
#include <string>
#include <vector>

#include "env_file.h"

namespace drydock::env_sync {

struct Base {
  std::optional<EnvFile> file;
  // For people: "the last snapshot", "1.13.0 (git tag of what runs)", "none".
  std::string name = "none";
};

// As the options `base` and `template` say. `ours`: of several git tags the one wins that fits it
// best. Throws Failed where a base that was named is not there.
Base read_base(Call& call, const EnvFile& ours);

// Whether a program of that name can be started.
bool in_path(const std::string& program);

}  // namespace drydock::env_sync
