// What restores have taken out of the way and kept to be looked at: a failed database under another
// name, a dump of it, files that stood in the way. Stages write it down beside themselves
// (docs/stages/backup.md): .drydock/backups/RUN/STAGE/set-aside/*.json. No rollback needs any of
// it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "state_dir.h"

namespace drydock {

struct SetAside {
  std::uint64_t run = 0;
  std::string stage;
  std::string id, manifest;  // the file that says so, absolute; its name without ".json"
  std::string kind, name, from, taken;
  std::string database;               // its name on the server now; "": it is a file
  std::string file;                   // absolute; a file or a folder
  std::optional<std::int64_t> bytes;  // of a database as it was then
  std::string unreadable;             // why `manifest` cannot be read; then nothing else is known
};

// By run, oldest first, without files that are gone. run, stage: only theirs.
std::vector<SetAside> set_aside(const StateDir& state, std::optional<std::uint64_t> run,
                                const std::string& stage);

// "database app_failed_7 of service db, 12 MB".
std::string describe(const SetAside& aside);
std::int64_t bytes_of(const std::vector<SetAside>& all);  // as far as they are known

// Of a file, or of all files in a folder.
std::int64_t bytes_below(const std::string& path);

nlohmann::json to_json(const std::vector<SetAside>& all);

}  // namespace drydock
