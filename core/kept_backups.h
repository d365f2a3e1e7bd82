// The backups that runs have kept, by the manifests that stages write beside them
// (docs/stages/backup.md): .drydock/backups/RUN/STAGE/manifests/*.json. Nothing here knows a
// database.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "state_dir.h"

namespace drydock {

struct KeptFile {
  std::string path;  // absolute
  std::int64_t bytes = 0;
  std::string sha256;
};

struct KeptBackup {
  std::uint64_t run = 0;
  std::string stage, folder;  // the stage's, absolute
  std::string kind;           // "postgresql", "files", ...
  std::string name, from, server, taken;
  std::optional<std::vector<std::string>> revisions;
  std::optional<std::uint64_t> rows;  // of all tables together
  std::size_t tables = 0;
  double seconds = 0;
  std::vector<KeptFile> files;
  std::string
      unreadable;  // why its manifest cannot be read; then nothing but run and stage is known

  std::int64_t bytes() const;
  // It was made from a database, and can be restored by the stage type `restore`.
  bool restorable() const { return unreadable.empty() && kind != "files"; }
};

// By run, oldest first. run, stage: only theirs.
std::vector<KeptBackup> kept_backups(const StateDir& state, std::optional<std::uint64_t> run,
                                     const std::string& stage);

// What differs from what was written, as a sentence: a file that is gone, or another. "": nothing.
std::string damage(const KeptBackup& backup);

nlohmann::json to_json(const KeptBackup& backup);

}  // namespace drydock
