// The merge with its files: which template, which base, which services.
#pragma once

#include <drydock/stage.hpp>
#include <optional>
#include <string>

#include "merge.h"

namespace drydock::env_sync {

struct Sync {
  Merge merge;
  std::string base;  // for people: "the snapshot's .env.example", "none"
  std::size_t base_variables = 0;
};

// `ours`: the `.env` as it is before the stage; nullopt when there is none.
// `scratch`: where the merged file is put for `docker compose` to read while services are looked
// at. Throws Failed with a sentence when nothing must be written.
Sync synchronise(Call& call, const std::optional<std::string>& ours, const std::string& scratch);

}  // namespace drydock::env_sync
