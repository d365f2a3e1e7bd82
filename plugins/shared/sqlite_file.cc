#include "sqlite_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "content_hash.h"
#include "digest.h"

namespace drydock {
namespace {

// A connection. Opened for writing even where it only reads, when that is possible, because a
// database with a write-ahead log cannot be read without its shared memory file.
class Connection {
 public:
  Connection(const std::string& file, int flags, int busy_ms = 10000) : file_(file) {
    if (sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
      const std::string reason = sqlite3_errmsg(handle_);
      sqlite3_close(handle_);
      throw std::runtime_error("cannot open the SQLite database " + file + ": " + reason);
    }
    sqlite3_busy_timeout(handle_, busy_ms);
  }
  ~Connection() { sqlite3_close(handle_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* handle() const { return handle_; }
  const std::string& file() const { return file_; }
  [[noreturn]] void fail(const std::string& doing) const {
    throw std::runtime_error("SQLite database " + file_ + ": cannot " + doing + ": " +
                             sqlite3_errmsg(handle_));
  }

 private:
  std::string file_;
  sqlite3* handle_ = nullptr;
};

int reading_flags(const std::string& file) {
  return ::access(file.c_str(), W_OK) == 0 ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
}

class Statement {
 public:
  Statement(const Connection& connection, const std::string& sql) : connection_(connection) {
    if (sqlite3_prepare_v2(connection.handle(), sql.c_str(), -1, &handle_, nullptr) != SQLITE_OK) {
      connection.fail("read it");
    }
  }
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool next() {
    const int result = sqlite3_step(handle_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) connection_.fail("read it");
    return result == SQLITE_ROW;
  }
  int columns() const { return sqlite3_column_count(handle_); }
  int type(int column) const { return sqlite3_column_type(handle_, column); }
  std::string bytes(int column) const {
    const void* data = sqlite3_column_blob(handle_, column);
    const int size = sqlite3_column_bytes(handle_, column);
    return data == nullptr ? std::string()
                           : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
  }

 private:
  const Connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
};

std::string quoted(const std::string& name) {
  std::string result = "\"";
  for (char c : name) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

// How long one try to get a lock takes, where tries are repeated until patience ends.
constexpr int try_ms = 100;

// Copies the pages of `from` over those of `to`; SQLITE_DONE, or what went wrong.
int copy_pages(const Connection& from, const Connection& to, std::chrono::milliseconds patience) {
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) return sqlite3_errcode(to.handle());
  const auto until = std::chrono::steady_clock::now() + patience;
  // All pages in one step: smaller ones begin anew whenever somebody else writes.
  int result = SQLITE_OK;
  do {
    result = sqlite3_backup_step(backup, -1);
    if (result != SQLITE_BUSY && result != SQLITE_LOCKED) break;
    sqlite3_sleep(50);
  } while (std::chrono::steady_clock::now() < until);
  const int finished = sqlite3_backup_finish(backup);
  return result == SQLITE_DONE && finished != SQLITE_OK ? finished : result;
}

void check_integrity(const Connection& connection) {
  Statement check(connection, "PRAGMA integrity_check");
  check.next();
  const std::string answer = check.bytes(0);
  if (answer != "ok") {
    throw std::runtime_error("SQLite database " + connection.file() +
                             " is damaged: integrity_check says " + answer);
  }
}

std::string row_text(const Statement& row) {
  std::string text;
  for (int column = 0; column < row.columns(); ++column) {
    const std::string value = row.bytes(column);
    text += std::to_string(row.type(column)) + ":" + std::to_string(value.size()) + ":" + value;
  }
  return text;
}

}  // namespace

SqliteContent sqlite_content(const std::string& file, SqliteData data) {
  const Connection connection(file, reading_flags(file));
  SqliteContent content;
  Statement begin(connection, "BEGIN");  // one snapshot for all that follows
  begin.next();

  Sha256 schema;
  std::vector<std::string> tables;
  Statement objects(connection,
                    "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name");
  while (objects.next()) {
    schema.update(row_text(objects) + "\n");
    // The rows of a virtual table are in its shadow tables.
    const std::string sql = objects.bytes(2);
    if (objects.bytes(0) == "table" && sqlite3_strnicmp(sql.c_str(), "CREATE VIRTUAL", 14) != 0) {
      tables.push_back(objects.bytes(1));
    }
  }
  content.schema = schema.finish_hex();
  for (const char* name : {"user_version", "application_id"}) {
    Statement value(connection, std::string("PRAGMA ") + name);
    value.next();
    content.version += (content.version.empty() ? "" : " ") + value.bytes(0);
  }

  Sha256 all, row;
  for (const std::string& table : tables) {
    if (data == SqliteData::structure) {
      content.rows[table] = 0;
      continue;
    }
    if (data == SqliteData::count) {
      Statement count(connection, "SELECT count(*) FROM " + quoted(table));
      count.next();
      content.rows[table] = std::stoull(count.bytes(0));
      continue;
    }
    RowSum sum;
    std::uint64_t& rows = content.rows[table] = 0;
    Statement each(connection, "SELECT * FROM " + quoted(table));
    for (; each.next(); ++rows) {
      row.update(row_text(each));
      sum.add(row.finish());
    }
    all.update(table + "\n");
    all.update(sum.bytes());
  }
  if (data == SqliteData::hash) content.data = all.finish_hex();
  return content;
}

std::optional<std::vector<std::string>> sqlite_revisions(const std::string& file,
                                                         const std::string& version_table) {
  const Connection connection(file, reading_flags(file));
  Statement objects(connection, "SELECT name FROM sqlite_master WHERE type = 'table'");
  bool found = false;
  while (objects.next()) found = found || objects.bytes(0) == version_table;
  if (!found) return std::nullopt;
  std::vector<std::string> revisions;
  Statement rows(connection, "SELECT version_num FROM " + quoted(version_table) + " ORDER BY 1");
  while (rows.next()) revisions.push_back(rows.bytes(0));
  return revisions;
}

bool set_sqlite_revisions(const std::string& file, const std::string& version_table,
                          const std::vector<std::string>& revisions) {
  if (!sqlite_revisions(file, version_table)) return false;
  const Connection connection(file, SQLITE_OPEN_READWRITE);
  std::string sql = "BEGIN IMMEDIATE; DELETE FROM " + quoted(version_table) + ";";
  for (const std::string& one : revisions) {
    char* value = sqlite3_mprintf("%Q", one.c_str());
    if (value == nullptr) throw std::bad_alloc();
    sql += "INSERT INTO " + quoted(version_table) + " (version_num) VALUES (" + value + ");";
    sqlite3_free(value);
  }
  sql += "COMMIT";
  if (sqlite3_exec(connection.handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    connection.fail("set its revision");
  }
  return true;
}

void check_sqlite(const std::string& file) {
  check_integrity(Connection(file, SQLITE_OPEN_READONLY));
}

std::string sqlite_version() { return sqlite3_libversion(); }

void copy_sqlite(const std::string& file, const std::string& copy,
                 std::chrono::milliseconds patience) {
  // SQLite creates files with 0644; made here first they are nobody else's to read.
  const int fd = ::open(copy.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot create " + copy + ": " + std::strerror(errno));
  ::close(fd);
  const Connection from(file, reading_flags(file), try_ms);
  const Connection to(copy, SQLITE_OPEN_READWRITE);
  const int result = copy_pages(from, to, patience);
  if (result == SQLITE_BUSY || result == SQLITE_LOCKED) {
    throw std::runtime_error("SQLite database " + file +
                             " stayed locked by another process; stop what writes to it first");
  }
  if (result != SQLITE_DONE) (result == SQLITE_NOTADB ? from : to).fail("copy " + file);
  // A copy of a database with a write-ahead log would make one beside itself when it is read.
  Statement(to, "PRAGMA journal_mode=DELETE").next();
  check_integrity(to);
}

bool restore_sqlite(const std::string& copy, const std::string& file,
                    std::chrono::milliseconds patience) {
  const Connection from(copy, SQLITE_OPEN_READONLY);
  const Connection to(file, SQLITE_OPEN_READWRITE, try_ms);
  const int result = copy_pages(from, to, patience);
  switch (result) {
    case SQLITE_DONE:
      break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_READONLY:  // also: another page size, which a write-ahead log does not allow
      return false;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw std::runtime_error("SQLite database " + file +
                               " stayed locked by another process; stop that and repeat");
    default:
      to.fail("put back its copy " + copy);
  }
  // So that the main file alone is the database, byte for byte, where nobody else has it open.
  sqlite3_wal_checkpoint_v2(to.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  return true;
}

}  // namespace drydock
