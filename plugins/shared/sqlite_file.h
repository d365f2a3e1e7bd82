// An SQLite database file: consistent copies of it while others use it, what it holds, and putting
// a copy back under SQLite's own locks.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock {

struct SqliteContent {
  std::string schema;                         // SHA-256 of all CREATE statements
  std::string version;                        // user_version and application_id of the file
  std::map<std::string, std::uint64_t> rows;  // table -> rows; all 0 when they were not counted
  std::string data;  // SHA-256 over all rows whatever their order; "" when it was not asked for
};

// Counting and hashing read every page; who writes to a file without a write-ahead log has to wait
// meanwhile.
enum class SqliteData { structure, count, hash };

// All throw std::runtime_error with a sentence that names the file.
SqliteContent sqlite_content(const std::string& file, SqliteData data);
// Rows of Alembic's table; nullopt when it is not there.
std::optional<std::vector<std::string>> sqlite_revisions(const std::string& file,
                                                         const std::string& version_table);
// Writes that table anew. False, with nothing changed, when it is not there.
bool set_sqlite_revisions(const std::string& file, const std::string& version_table,
                          const std::vector<std::string>& revisions);
// "3.40.1": of the library that reads and copies.
std::string sqlite_version();
// Throws when PRAGMA integrity_check finds something.
void check_sqlite(const std::string& file);
// Copies all pages of one moment, with what is still in the write-ahead log, into the new file
// `copy` (0600), and checks the copy's integrity. Writers are only held up for moments.
void copy_sqlite(const std::string& file, const std::string& copy,
                 std::chrono::milliseconds patience);
// Overwrites the database with the copy, in one transaction under SQLite's locks: whoever has the
// file open sees the old or the new content and never a mixture, and a death in the middle leaves
// a journal that undoes it. (Renaming a copy over the file would leave a process that has it open
// writing into a file without a name.)
// False, with nothing changed, when the file is no longer a database.
bool restore_sqlite(const std::string& copy, const std::string& file,
                    std::chrono::milliseconds patience);

}  // namespace drydock
