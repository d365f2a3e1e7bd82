// The private folders of stages, in which they keep what a rollback needs and say what it is:
// .drydock/backups/RUN/STAGE.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state_dir.h"

namespace drydock {

struct StageFolder {
  std::uint64_t run = 0;
  std::string stage;
  std::string path;
};

// Oldest run first. run, stage: only theirs.
std::vector<StageFolder> stage_folders(const StateDir& state, std::optional<std::uint64_t> run,
                                       const std::string& stage);

// What a folder has, by name; nothing where there is no such folder.
std::vector<std::string> paths_in(const std::string& folder);

}  // namespace drydock
