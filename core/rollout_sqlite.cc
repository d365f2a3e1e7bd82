#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>

#include "descriptor.h"
#include "error.h"
#include "rollout_database.h"
#include "soci_rows.h"

namespace drydock {
namespace {

// SQLite would make the file with the mode of the umask.
void make_private_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) return;
  throw Error("the database of rollouts " + path + " cannot be opened (" + std::strerror(errno) +
              "); check who owns it and whether the disk is writable");
}

class SqliteDatabase : public RolloutDatabase {
 public:
  explicit SqliteDatabase(const std::string& path)
      : RolloutDatabase(path), sql_(soci::sqlite3, "db=\"" + path + "\" timeout=10") {}

  void begin() override { run("BEGIN IMMEDIATE"); }
  void reconnect() override {}
  bool has_table(const std::string& name) override {
    return !run("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", {name}, 1)
                .empty();
  }
  std::int64_t now() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::string and_keep() const override { return ""; }  // whoever writes is alone
  bool is_shared() const override { return false; }

 protected:
  // SOCI's message names statements and may carry values: only the database's own part is shown.
  std::vector<Row> perform(const std::string& sql, const Values& values,
                           std::size_t columns) override {
    try {
      std::vector<Row> rows;
      soci_rows(sql_, sql, values, columns, [&](const Row& row) { rows.push_back(row); });
      return rows;
    } catch (const soci::soci_error& e) {
      throw DatabaseFailure(e.get_error_message(), false);
    }
  }

 private:
  soci::session sql_;
};

// Of several that open a new file at once SQLite tells all but one that it is locked, without the
// wait that others get.
void write_ahead(SqliteDatabase& database) {
  constexpr int most_tries = 200;
  for (int tries = 1;; ++tries) {
    try {
      database.run("PRAGMA journal_mode=WAL", {}, 1);
      return;
    } catch (const DatabaseFailure& e) {
      const bool locked = std::string_view(e.what()).find("locked") != std::string_view::npos;
      if (!locked || tries == most_tries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

}  // namespace

std::unique_ptr<RolloutDatabase> open_sqlite_database(const std::string& path) {
  if (path.find('"') != std::string::npos) {
    throw Error("the path " + path + " contains a double quote; use a folder without one");
  }
  make_private_file(path);
  try {
    auto database = std::make_unique<SqliteDatabase>(path);
    write_ahead(*database);
    database->run("PRAGMA synchronous=FULL");
    return database;
  } catch (const soci::soci_error& e) {
    throw Error("the database of rollouts " + path + " cannot be opened (" + e.get_error_message() +
                "); check who owns it");
  } catch (const DatabaseFailure& e) {
    throw Error("the database of rollouts " + path + " cannot be opened (" + e.what() +
                "); check its disk and who owns it");
  }
}

}  // namespace drydock
