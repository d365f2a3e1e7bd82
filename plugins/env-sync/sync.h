// The merge with its files: which templates, which base, which services; and its proof.
#pragma once

#include <drydock/stage.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "merge.h"

namespace drydock::env_sync {

struct Sync {
  // What the merge looks into.
  std::optional<EnvFile> base, ours, theirs;
  std::vector<std::string> templates;  // the files that theirs was read from
  std::string base_name;               // for people: ".env.example of the last snapshot", "none"
  Merge merge;
  std::size_t base_variables = 0;
  std::map<std::string, std::vector<std::string>, std::less<>> elsewhere;  // key -> other templates
  std::set<std::string> interpolated;  // variables that the compose files refer to
  std::set<std::string> retired;       // services that ran and that the new files lack
  std::string proof;                   // for people: who has evaluated the result
};

// `ours`: the `.env` as it is before the stage; nullopt when there is none. `ours_path`: where that
// text stands. `scratch`: where the merged file is put, for `docker compose` to read. Throws Failed
// with a sentence when nothing must be written.
Sync synchronise(Call& call, std::optional<std::string> ours, const std::string& ours_path,
                 const std::string& scratch);

}  // namespace drydock::env_sync
