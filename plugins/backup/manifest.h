// What a backup says of itself, in a file beside it: manifests/*.json in the stage's private
// folder. `drydock backups` reads these alone; docs/stages/backup.md has their members.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::backup {

struct KeptContent {
  std::string file;  // below the private folder
  std::int64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string kind;    // postgresql mariadb mysql sqlite files
  std::string name;    // of the database, or the path of the file
  std::string from;    // "service db", "db.example.org:5432"; "" for files
  std::string server;  // its version; "" for files
  std::optional<std::vector<std::string>> revisions;
  std::map<std::string, std::uint64_t> rows;
  std::string taken;  // UTC, RFC 3339
  double seconds = 0;
  std::vector<KeptContent> contents;
  std::string record;  // the stage's own, JSON, from which it restores; "" for none
};

// On disk when this returns. id: its name as a file, without ".json". Never over another one.
void write_manifest(const Call&, const std::string& id, const Manifest&);

// The records of all manifests below `folder` of one of these kinds, by id. Throws Failed for one
// that cannot be read.
std::map<std::string, std::string> manifest_records(const std::string& folder,
                                                    const std::vector<std::string>& kinds);

}  // namespace drydock::backup
