// How a journal is opened, upgraded, checked, and freed of old runs.
#include <filesystem>

#include "journal_database.h"
#include "state_dir.h"

namespace drydock {
namespace {

using soci::into;
using soci::use;

int schema_version(soci::session& sql) {
  int version = 0;
  sql << "PRAGMA user_version", into(version);
  return version;
}

// The log is emptied at the end and stays: to make it and to remove it again would take as long as
// several notes.
void keep_log(soci::session& sql) {
  sql << "PRAGMA journal_size_limit=0";
  auto* backend = static_cast<soci::sqlite3_session_backend*>(sql.get_backend());
  int keep = 1;
  sqlite_api::sqlite3_file_control(backend->conn_, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}

// From whatever version it has to the newest.
void migrate(soci::session& sql, Migrations migrations) {
  const int before = schema_version(sql);
  for (const Migration& migration : migrations) {
    if (migration.version <= before) continue;
    for (const char* statement : migration.statements) sql << statement;
    sql << "PRAGMA user_version=" << migration.version;
  }
}

}  // namespace

Journal::Journal(const std::string& path, Migrations migrations) : path_(path) {
  if (!journal_exists(path)) create(migrations);
  connect(path);
  const int newest = migrations.back().version;
  const int version = guarded("open", [](soci::session& sql) { return schema_version(sql); });
  if (version < 1) throw_damaged(path, "it has no schema version");
  if (version > newest) {
    throw Error("the journal " + path + " has schema version " + std::to_string(version) +
                " and this Drydock knows " + std::to_string(newest) +
                "; use the newer Drydock that wrote it");
  }
  guarded("open", [](soci::session& sql) {
    sql << "PRAGMA journal_mode=WAL";
    keep_log(sql);
    sql << "PRAGMA synchronous=FULL";
    return 0;
  });
  if (version < newest) upgrade(migrations);
}

void Journal::connect(const std::string& path) {
  if (path.find('"') != std::string::npos) {
    throw Error("the journal's path " + path +
                " contains a double quote; use a folder without one");
  }
  try {
    database_ = std::make_unique<Database>(name_to_open(path));
  } catch (const soci::soci_error& e) {
    throw Error("the journal " + path + " cannot be opened (" + e.get_error_message() +
                "); check who owns it and whether the disk is writable");
  }
}

// Under another name until it is whole, so that a kill leaves no journal that looks like a damaged
// one.
void Journal::create(Migrations migrations) {
  const std::string unfinished = unfinished_file(path_);
  create_unfinished_file(unfinished);
  connect(unfinished);
  guarded("open", [&](soci::session& sql) {
    sql << "PRAGMA journal_mode=OFF";
    sql << "PRAGMA synchronous=OFF";
    migrate(sql, migrations);
    const std::uint64_t before = highest_run_beside(path_);
    if (before > 0) sql << "INSERT INTO sqlite_sequence VALUES ('runs', :before)", use(before);
    return 0;
  });
  database_.reset();
  publish_file(unfinished, path_);
}

// Nobody may be in the middle of a run: the Drydock that performs it expects the older schema.
void Journal::upgrade(Migrations migrations) {
  const StateDir state(std::filesystem::path(path_).parent_path().string());
  std::optional<DeploymentLock> lock;
  try {
    lock.emplace(state);
  } catch (const Error& e) {
    throw Error("the journal " + path_ +
                    " has an older schema and cannot be upgraded now: " + std::string(e.what()),
                e.code());
  }
  guarded("upgrade", [&](soci::session& sql) {
    const int version = schema_version(sql);
    if (version == migrations.back().version) return 0;  // another one was quicker
    keep_copy(version);
    soci::transaction transaction(sql);
    migrate(sql, migrations);
    transaction.commit();
    return 0;
  });
}

void Journal::keep_copy(int version) {
  const std::string copy = kept_copy_file(path_, version), unfinished = unfinished_file(copy);
  create_unfinished_file(unfinished);
  database_->sql << "VACUUM INTO :file", use(unfinished);
  {
    const Database kept(unfinished);
    std::string found;
    kept.sql << "PRAGMA quick_check(1)", into(found);
    if (found != "ok" || schema_version(kept.sql) != version) {
      throw Error("the copy " + unfinished + " of the journal cannot be read again (" + found +
                  "), so it was not upgraded; check the disk");
    }
  }
  publish_file(unfinished, copy);
}

void Journal::check() const {
  const std::string found = guarded("be read", [](soci::session& sql) {
    std::string first;
    sql << "PRAGMA quick_check(1)", into(first);
    return first;
  });
  if (found != "ok") throw_damaged(path_, found);
}

void Journal::remove_runs(const std::vector<std::uint64_t>& runs) {
  guarded("remove runs", [&](soci::session& sql) {
    soci::transaction transaction(sql);
    std::string table;
    std::vector<std::string> tables;
    soci::statement select =
        (sql.prepare << "SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c "
                        "WHERE t.type = 'table' AND c.name = 'run'",
         into(table));
    select.execute();
    while (select.fetch()) tables.push_back(table);
    for (const std::uint64_t run : runs) {
      for (const std::string& each : tables)
        sql << "DELETE FROM " << each << " WHERE run = " << run;
      sql << "INSERT OR IGNORE INTO removed_keys SELECT key, id, state FROM runs WHERE key <> '' "
             "AND "
             "id = "
          << run;
      sql << "DELETE FROM runs WHERE id = " << run;
      sql << "INSERT INTO removed VALUES (" << run << ")";
    }
    transaction.commit();
    return 0;
  });
}

std::vector<std::uint64_t> Journal::removed_runs() const {
  return guarded("read what was removed", [](soci::session& sql) {
    std::vector<std::uint64_t> result;
    long long id = 0;
    soci::statement select = (sql.prepare << "SELECT id FROM removed ORDER BY id", into(id));
    select.execute();
    while (select.fetch()) result.push_back(static_cast<std::uint64_t>(id));
    return result;
  });
}

std::optional<RemovedRun> Journal::removed_run_with_key(const std::string& key) const {
  return guarded("look for a removed run", [&](soci::session& sql) -> std::optional<RemovedRun> {
    long long id = 0;
    std::string state;
    sql << "SELECT id, state FROM removed_keys WHERE key = :key", use(key), into(id), into(state);
    if (id == 0) return std::nullopt;
    return RemovedRun{static_cast<std::uint64_t>(id), state};
  });
}

void Journal::forget_removed_runs() {
  guarded("forget what was removed", [](soci::session& sql) {
    sql << "DELETE FROM removed";
    return 0;
  });
}

}  // namespace drydock
