// The compose files of the newest snapshot: the way back to containers that were made of files
// which somebody has replaced since, without a stage of the run.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

struct SnapshotModel {
  std::string file;                           // the resolved model, for compose_with_model()
  std::map<std::string, std::string> hashes;  // service -> configuration hash
};

// Resolves it into `folder`, a private one. nullopt: there is no snapshot, it lacks one of the
// compose files, or Compose cannot read it any more.
std::optional<SnapshotModel> resolve_snapshot(const Call& call, const std::string& folder);

// service -> configuration hash of the deployment's own files, in `plan` too. Without
// `all_profiles` only of active services.
std::map<std::string, std::string> hashes_of_own_files(const Call& call, bool all_profiles);

}  // namespace drydock::compose
