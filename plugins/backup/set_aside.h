// What a restore took out of the way, written down in set-aside/ID.json of the stage's private
// folder: for `drydock backups`, which lists and removes it. docs/stages/backup.md has the members.
// No rollback reads any of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "database_record.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

// A database on the server of the record, under another name: what failed, or a restore on its way.
// Noted before it gets that name. bytes: its size, as far as it is known.
void note_database_aside(const Call&, const DatabaseRecord& record, const std::string& database,
                         std::int64_t bytes);
// It is gone, or has the right name.
void forget_database_aside(const Call&, const std::string& database);

// A dump of what failed, as a file below the private folder.
void note_file_aside(const Call&, const DatabaseRecord& record, const std::string& file);
// The folder in which files that stood in the way are, below the private folder.
void note_folder_aside(const Call&, const std::string& folder);

struct DatabaseAside {
  std::string id;  // its file's name without ".json"
  std::string file;
  std::string database;
  DatabaseRecord record;
};
// Those in the private folder. Throws Failed for one that cannot be read, or that names a database
// which no restore has made: it may be anybody's.
std::vector<DatabaseAside> databases_aside(const Call&);

}  // namespace drydock::backup
