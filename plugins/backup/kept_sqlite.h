// SQLite databases of the deployment, kept and put back.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::backup {

struct SqliteRecord {
  std::string path;  // absolute
  bool present = true;
  std::string copy;  // below the private folder
  std::string sha256;
  std::string schema;
  std::string data;
  std::string version;  // "": kept by a Drydock that did not note it
  std::optional<std::vector<std::string>> revisions;
  std::map<std::string, std::uint64_t> rows;
  std::string taken;   // when it began, UTC, RFC 3339
  double seconds = 0;  // how long it took, with the check of its integrity
  mode_t mode = 0600;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string restore;  // if-changed always never
};

std::string to_note(const SqliteRecord&);
SqliteRecord sqlite_from_note(const std::string& note);

// Copies the database at record.path to record.copy, with what other processes have just written,
// and fills in the rest.
void keep_sqlite(const Call&, SqliteRecord& record, std::chrono::milliseconds patience);
// folder: of the backup, a private folder. Throws Failed when the copy is not the one that was
// made.
void check_copy(const std::string& folder, const SqliteRecord& record);
// The same, and that it is whole and holds what was noted.
void read_back(const std::string& folder, const SqliteRecord& record);
// Makes the database what it was when it was kept. What stands in the way is moved below `aside` in
// the private folder. Safe to repeat. Returns what was done, "" for nothing.
std::string put_back(const Call&, const std::string& folder, const SqliteRecord& record,
                     bool always, const std::string& aside, std::chrono::milliseconds patience);

}  // namespace drydock::backup
