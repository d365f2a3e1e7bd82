// backup with real files and SQLite databases.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "backup_stage.h"
#include "drydock/testing.hpp"
#include "restore_stage.h"

using namespace drydock::testing;
namespace fs = std::filesystem;

namespace {

// Another process's connection, as far as SQLite can tell.
class Database {
 public:
  explicit Database(const std::string& file) {
    if (sqlite3_open(file.c_str(), &handle_) != SQLITE_OK) throw std::runtime_error(file);
  }
  ~Database() { sqlite3_close(handle_); }
  std::string operator()(const std::string& sql) const {
    std::string first;
    char* error = nullptr;
    const auto keep = [](void* to, int, char** values, char**) {
      auto* text = static_cast<std::string*>(to);
      if (text->empty() && values[0] != nullptr) *text = values[0];
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle_, sql.c_str(), keep, &first, &error), SQLITE_OK) << error;
    return first;
  }

 private:
  sqlite3* handle_ = nullptr;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<std::string, Fact> facts(FakeHost& host) {
  const StepResult result = host.perform<Backup>("observe");
  EXPECT_TRUE(result.ok()) << result.failure;
  std::map<std::string, Fact> must_return;
  for (const auto& [name, fact] : host.facts) {
    if (fact.must_return) must_return[name] = fact;
  }
  return must_return;
}

void fill_files(FakeHost& host) {
  host.write(".env", "PASSWORD=long-secret\n");
  host.write("compose.yaml", "services: {}\n");
  host.write("conf/a.conf", "a");
  host.write("conf/sub/b.conf", "b");
  host.write("shared/real.env", "REAL=1\n");
  fs::create_symlink("shared/real.env", host.deployment_dir() + "/link.env");
  ::chmod((host.deployment_dir() + "/.env").c_str(), 0640);
  host.option("/files", {".env", "*.yaml", "conf", "link.env", "override.yml"});
}

void damage_files(FakeHost& host) {
  host.write(".env", "PASSWORD=other\n");
  ::chmod((host.deployment_dir() + "/.env").c_str(), 0600);
  fs::remove(host.deployment_dir() + "/compose.yaml");
  host.write("new.yaml", "of the new release");
  fs::remove_all(host.deployment_dir() + "/conf/sub");
  host.write("conf/sub", "a file where a folder was");
  host.write("conf/new.conf", "new");
  host.write("link.env", "REAL=2\n");
  host.write("override.yml", "appeared");
}

TEST(BackupFiles, PutsEveryByteBack) {
  FakeHost host;
  fill_files(host);
  const auto before = facts(host);
  EXPECT_TRUE(before.at("file..env.content").secret);
  EXPECT_EQ(before.at("file.override.yml").value, "absent");
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  ASSERT_TRUE(host.perform<Backup>("verify").ok());
  damage_files(host);
  EXPECT_NE(facts(host), before);
  for (int repeated = 0; repeated < 2; ++repeated) {
    const StepResult rollback = host.perform<Backup>("rollback");
    ASSERT_TRUE(rollback.ok()) << rollback.failure;
    EXPECT_EQ(facts(host), before);
  }
  EXPECT_EQ(host.read(".env"), "PASSWORD=long-secret\n");
  EXPECT_EQ(host.read("conf/sub/b.conf"), "b");
  EXPECT_EQ(fs::read_symlink(host.deployment_dir() + "/link.env"), "shared/real.env");
  EXPECT_EQ(host.read("shared/real.env"), "REAL=1\n");
  // Moved away, not deleted.
  EXPECT_FALSE(host.exists("new.yaml"));
  EXPECT_TRUE(fs::exists(host.private_dir() + "/moved-aside/new.yaml"));
  EXPECT_TRUE(fs::exists(host.private_dir() + "/moved-aside/override.yml"));
  EXPECT_TRUE(host.violations.empty());
}

TEST(BackupFiles, RollsBackAfterADeathAtItsNote) {
  for (const bool durable : {false, true}) {
    FakeHost host;
    fill_files(host);
    const auto before = facts(host);
    durable ? host.die_at_remember(1) : host.die_before_remember(1);
    ASSERT_TRUE(host.perform<Backup>("run").died);
    // Nothing was changed by then, and nothing is by the rollback.
    ASSERT_TRUE(host.perform<Backup>("rollback").ok());
    EXPECT_EQ(facts(host), before);
    // A second attempt keeps beside the first one.
    ASSERT_TRUE(host.perform<Backup>("run").ok());
    damage_files(host);
    ASSERT_TRUE(host.perform<Backup>("rollback").ok());
    EXPECT_EQ(facts(host), before);
  }
}

TEST(BackupFiles, NoticesADamagedCopy) {
  FakeHost host;
  fill_files(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  std::ofstream(host.private_dir() + "/files/.env", std::ios::app) << "x";
  EXPECT_EQ(host.perform<Backup>("verify").status, DRYDOCK_FAILED);
  damage_files(host);
  const StepResult rollback = host.perform<Backup>("rollback");
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_NE(rollback.failure.find("/files/.env"), std::string::npos) << rollback.failure;
  EXPECT_EQ(host.read(".env"), "PASSWORD=other\n");
  // The others have good copies, and are put back.
  EXPECT_EQ(host.read("compose.yaml"), "services: {}\n");
  EXPECT_EQ(host.read("conf/sub/b.conf"), "b");
  EXPECT_EQ(host.read("link.env"), "REAL=1\n");
  EXPECT_FALSE(host.exists("new.yaml"));
}

TEST(BackupFiles, PutsTheOthersBackWhereOneCannotBe) {
  FakeHost host;
  fill_files(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  damage_files(host);
  const std::string stuck = host.deployment_dir() + "/.env";
  if (::mount(stuck.c_str(), stuck.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "a file that cannot be replaced needs root";
  }
  const StepResult rollback = host.perform<Backup>("rollback");
  ::umount(stuck.c_str());
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_NE(rollback.failure.find(stuck), std::string::npos) << rollback.failure;
  EXPECT_EQ(host.read("compose.yaml"), "services: {}\n");
  EXPECT_EQ(host.read("conf/sub/b.conf"), "b");
  EXPECT_FALSE(host.exists("new.yaml"));
}

TEST(BackupFiles, MovesAwayASocketThatAppeared) {
  FakeHost host;
  fill_files(host);
  const auto before = facts(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  host.write("conf/a.conf", "of the new release");
  ASSERT_EQ(::mkfifo((host.deployment_dir() + "/conf/new.sock").c_str(), 0600), 0);
  EXPECT_NE(facts(host), before);
  const StepResult rollback = host.perform<Backup>("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(facts(host), before);
  EXPECT_FALSE(host.exists("conf/new.sock"));
}

// The state may be on another file system, where a pipe cannot be kept.
TEST(BackupFiles, LosesNothingThatCannotBeMovedAside) {
  FakeHost host;
  host.option("/files", {"new"});
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  if (::mount("tmpfs", host.private_dir().c_str(), "tmpfs", 0, "mode=0700") != 0) {
    GTEST_SKIP() << "another file system needs root";
  }
  ::umount(host.private_dir().c_str());
  fs::create_directory(host.deployment_dir() + "/new");
  host.write("new/file", "of the new release");
  const std::string pipe = host.deployment_dir() + "/new/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string aside = host.private_dir() + "/moved-aside";
  fs::create_directory(aside);
  ASSERT_EQ(::mount("tmpfs", aside.c_str(), "tmpfs", 0, "mode=0700"), 0);
  const StepResult rollback = host.perform<Backup>("rollback");
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_NE(rollback.failure.find(pipe + " is a socket, pipe or device"), std::string::npos)
      << rollback.failure;
  EXPECT_TRUE(fs::exists(pipe));
  fs::remove(pipe);
  EXPECT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_FALSE(host.exists("new"));
  ::umount(aside.c_str());
}

TEST(BackupFiles, PutsBackTheTimeAlsoWhereTheBytesAreThere) {
  FakeHost host;
  fill_files(host);
  const fs::path file = host.deployment_dir() + "/conf/a.conf";
  const auto old = fs::last_write_time(file) - std::chrono::hours(24);
  fs::last_write_time(file, old);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  host.write("conf/a.conf", "a");
  ASSERT_NE(fs::last_write_time(file), old);
  ASSERT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(fs::last_write_time(file), old);
}

TEST(BackupFiles, RefusesWhatIsNoFile) {
  FakeHost host;
  ASSERT_EQ(::mkfifo((host.deployment_dir() + "/pipe").c_str(), 0600), 0);
  host.option("/files", {"pipe"});
  EXPECT_NE(host.perform<Backup>("plan").failure.find("pipe"), std::string::npos);
}

class BackupSqlite : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    host.option("/sqlite", {"app.db"});
    host.option("/wait", 300);
    file = host.deployment_dir() + "/app.db";
    Database db(file);
    db(std::string("PRAGMA journal_mode=") + GetParam());
    db("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT); CREATE TABLE alembic_version "
       "(version_num TEXT); INSERT INTO alembic_version VALUES ('one')");
    db("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO "
       "note SELECT i, 'note ' || i FROM n");
    ::chmod(file.c_str(), 0640);
  }
  FakeHost host;
  std::string file;
};
INSTANTIATE_TEST_SUITE_P(Journal, BackupSqlite, ::testing::Values("delete", "wal"));

TEST_P(BackupSqlite, UndoesAMigrationUnderARunningApplication) {
  const auto before = facts(host);
  EXPECT_EQ(before.at("sqlite.app.db.revision").value, "one");
  const Database application(file);
  application("INSERT INTO note VALUES (1001, 'still in the log')");
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  ASSERT_TRUE(host.perform<Backup>("verify").ok());
  application(
      "ALTER TABLE note ADD COLUMN author TEXT; DELETE FROM note WHERE id > 3; UPDATE "
      "alembic_version SET version_num = 'two'");
  for (int repeated = 0; repeated < 2; ++repeated) {
    const StepResult rollback = host.perform<Backup>("rollback");
    ASSERT_TRUE(rollback.ok()) << rollback.failure;
    EXPECT_EQ(facts(host), before);
  }
  // The application has the file open all the while, and goes on with it.
  EXPECT_EQ(application("SELECT count(*) FROM note"), "1001");
  application("INSERT INTO note VALUES (1002, 'after')");
  EXPECT_EQ(Database(file)("SELECT count(*) FROM note"), "1002");
}

TEST_P(BackupSqlite, ReplacesWhatIsNoDatabaseAnyMore) {
  const auto before = facts(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  host.write("app.db", std::string(5000, 'x'));
  ::chmod(file.c_str(), 0666);
  const StepResult rollback = host.perform<Backup>("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(facts(host), before);
  fs::remove(file);
  ASSERT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(facts(host), before);
}

TEST_P(BackupSqlite, LeavesAnUnchangedDatabaseAlone) {
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  const Database application(file);
  application("VACUUM");
  const auto written = fs::last_write_time(file);
  ASSERT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(fs::last_write_time(file), written);
  EXPECT_NE(host.log_text().find("is as it was"), std::string::npos);
}

TEST_P(BackupSqlite, PutsBackTheVersionWhereNothingElseChanged) {
  const auto before = facts(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  Database{file}("PRAGMA user_version = 7");
  EXPECT_NE(facts(host), before);
  ASSERT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(Database{file}("PRAGMA user_version"), "0");
  EXPECT_EQ(facts(host), before);
}

TEST_P(BackupSqlite, SaysThatItIsLocked) {
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  const Database application(file);
  application("UPDATE note SET text = 'x'");
  application("BEGIN IMMEDIATE");
  const StepResult rollback = host.perform<Backup>("rollback");
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_NE(rollback.failure.find("locked"), std::string::npos) << rollback.failure;
  application("ROLLBACK");
  EXPECT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(application("SELECT text FROM note WHERE id = 7"), "note 7");
}

TEST_P(BackupSqlite, RefusesADamagedCopyAndLeavesTheDatabase) {
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  Database{file}("DELETE FROM note");
  const std::string copy = host.private_dir() + "/sqlite/0-app.db";
  const std::string whole = text_of(copy);
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  for (const std::string& damaged :
       {flipped, whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2)}) {
    std::ofstream(copy, std::ios::binary) << damaged;
    EXPECT_EQ(host.perform<Backup>("verify").status, DRYDOCK_FAILED);
    const StepResult rollback = host.perform<Backup>("rollback");
    EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
    EXPECT_NE(rollback.failure.find("SHA-256"), std::string::npos) << rollback.failure;
    EXPECT_EQ(Database{file}("SELECT count(*) FROM note"), "0");
  }
}

TEST_P(BackupSqlite, IsRestoredByHandOverWhatIsDamaged) {
  const auto before = facts(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  const std::string whole = text_of(file);
  std::string page = whole;  // of the table, not the first one
  page.replace(page.size() / 2, 4096, 4096, 'x');
  for (const std::string& damaged :
       {page, whole.substr(0, whole.size() / 2), std::string(9, 'x')}) {
    for (const char* log : {"-wal", "-shm"}) fs::remove(file + log);
    std::ofstream(file, std::ios::binary) << damaged;
    FakeHost other;
    other.deployment(host.deployment_dir());
    other.option("/from", host.private_dir());
    const StepResult run = other.perform<Restore>("run");
    ASSERT_TRUE(run.ok()) << run.failure;
    EXPECT_EQ(facts(host), before);
    EXPECT_EQ(Database{file}("SELECT count(*) FROM note"), "1000");
  }
}

TEST_P(BackupSqlite, NeverOverwritesABackup) {
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  const std::string first = host.outputs.at("sqlite").value, whole = text_of(first);
  Database{file}("DELETE FROM note WHERE id > 900");
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  EXPECT_NE(host.outputs.at("sqlite").value, first);
  EXPECT_EQ(text_of(first), whole);
  EXPECT_EQ(Database{host.outputs.at("sqlite").value}("SELECT count(*) FROM note"), "900");
}

TEST_P(BackupSqlite, LeavesNothingWhenTheDiskIsFull) {
  const Database application(file);
  application("CREATE TABLE big (b); INSERT INTO big VALUES (randomblob(300000))");
  const auto before = facts(host);
  const auto expect_nothing = [&](const StepResult& run, const char* reason) {
    EXPECT_EQ(run.status, DRYDOCK_FAILED);
    EXPECT_NE(run.failure.find(reason), std::string::npos) << run.failure;
    for (const auto& entry : fs::recursive_directory_iterator(host.private_dir())) {
      EXPECT_FALSE(entry.is_regular_file()) << entry.path();
    }
    EXPECT_TRUE(host.notes.empty());
    EXPECT_EQ(facts(host), before);
  };
  {
    // Files end here, as on a disk that somebody else fills meanwhile.
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{200'000, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const StepResult run = host.perform<Backup>("run");
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, ignored);
    expect_nothing(run, "app.db");
  }
  if (::geteuid() != 0 ||
      ::mount("tmpfs", host.private_dir().c_str(), "tmpfs", 0, "size=64k,mode=0700") != 0) {
    GTEST_SKIP() << "mounting a small file system needs root";
  }
  const StepResult run = host.perform<Backup>("run");
  expect_nothing(run, "make room");
  ::umount(host.private_dir().c_str());
}

TEST(BackupSqliteAbsent, MovesAwayWhatAppeared) {
  FakeHost host;
  host.option("/sqlite", {"new.db"});
  const auto before = facts(host);
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  Database{host.deployment_dir() + "/new.db"}("CREATE TABLE t (a)");
  ASSERT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(facts(host), before);
  EXPECT_TRUE(fs::exists(host.private_dir() + "/moved-aside/new.db"));
}

TEST(BackupSqliteEntry, IsKeptAndSentElsewhere) {
  FakeHost host;
  host.run_real_processes();
  Database{host.deployment_dir() + "/app.db"}("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
  host.option("/databases/0/file", "app.db");
  host.option("/databases/0/kind", "auto");
  host.write("take", "#!/bin/sh\ncp -n \"$2\" \"$1\"\n");
  ::chmod((host.deployment_dir() + "/take").c_str(), 0755);
  const std::string elsewhere = host.deployment_dir() + "/elsewhere.db";
  host.option("/copy", std::vector<std::string>{host.deployment_dir() + "/take", elsewhere});
  ASSERT_TRUE(host.perform<Backup>("run").ok());
  EXPECT_EQ(Database{elsewhere}("SELECT count(*) FROM t"), "1");
  Database{host.deployment_dir() + "/app.db"}("DELETE FROM t");
  ASSERT_TRUE(host.perform<Backup>("rollback").ok());
  EXPECT_EQ(Database{host.deployment_dir() + "/app.db"}("SELECT count(*) FROM t"), "1");

  host.option("/copy", {"/bin/sh", "-c", "echo disk is full >&2; exit 3"});
  const StepResult failed = host.perform<Backup>("run");
  EXPECT_EQ(failed.status, DRYDOCK_FAILED);
  EXPECT_NE(failed.failure.find("exit code 3 (disk is full)"), std::string::npos) << failed.failure;
}

TEST(BackupPlan, NamesEachFileAndDatabase) {
  FakeHost host;
  fill_files(host);
  Database{host.deployment_dir() + "/app.db"}("CREATE TABLE t (a)");
  host.option("/sqlite", {"app.db"});
  ASSERT_TRUE(host.perform<Backup>("plan").ok());
  std::vector<std::string> names;
  for (const auto& change : host.changes) names.push_back(change.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{".env", "compose.yaml", "conf/a.conf", "conf/sub/b.conf",
                                      "link.env", "shared/real.env", "override.yml", "app.db"}));
  EXPECT_EQ(host.changes[0].disk_bytes, 21);
}

}  // namespace
