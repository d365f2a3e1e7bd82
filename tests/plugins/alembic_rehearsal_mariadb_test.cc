// `mode: rehearse` with a real MariaDB, and with an SQLite file and a real Alembic.
#include <sqlite3.h>

#include "alembic_migrate_stage.h"
#include "mariadb_world.h"

using namespace drydock::testing;
using drydock::Process;

namespace {

// The migrator is MariaDB's own client, which connects as the application does: as a user who may
// use the database `app` alone.
class MariadbRehearsal : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (MariadbProcess::installed()) server_ = std::make_unique<MariadbProcess>();
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_) GTEST_SKIP() << "MariaDB is not installed";
    server_->sql(
        "mysql",
        "DROP DATABASE IF EXISTS app; CREATE DATABASE app;"
        "CREATE OR REPLACE USER web@localhost IDENTIFIED BY 'web-password';"
        "GRANT ALL ON app.* TO web@localhost;"
        "CREATE OR REPLACE USER reader@localhost; GRANT SELECT ON app.* TO reader@localhost "
        "WITH GRANT OPTION");
    sql("CREATE TABLE alembic_version (version_num varchar(32));"
        "INSERT INTO alembic_version VALUES ('one');"
        "CREATE TABLE note (id int AUTO_INCREMENT PRIMARY KEY, text text);"
        "INSERT INTO note (text) SELECT concat('note ', seq) FROM seq_1_to_1000;"
        "CREATE VIEW short AS SELECT id FROM note WHERE length(text) < 7;"
        "CREATE TABLE audit (note int) ENGINE=Aria;"
        "CREATE TRIGGER watch AFTER DELETE ON note FOR EACH ROW INSERT INTO audit VALUES (OLD.id);"
        "CREATE EVENT sweep ON SCHEDULE EVERY 1 HOUR DO DELETE FROM note");
    docker.emplace(host, server_.get());
    FakeContainer container{"db-1", "db"};
    container.image = "mariadb:10.11";
    container.environment = R"("MARIADB_DATABASE=app", "MARIADB_ROOT_PASSWORD=hid\"den#p\\n' =;ü")";
    docker->containers = {container};
    host.stage_id = "migrate";
    host.option("/mode", "rehearse");
    host.option("/command", {"sh", "alembic.sh", "upgrade"});
    host.option("/scripts", "migrations/versions");
    host.option("/environment/DB_DATABASE", "app");
    host.secret("/secret_environment/MYSQL_PWD", "web-password");
    host.write("migrations/versions/one.py", "revision = 'one'\ndown_revision = None\n");
    host.write("migrations/versions/two.py", "revision = 'two'\ndown_revision = 'one'\n");
    host.write("alembic.sh", R"(sql() {
  mariadb --no-defaults --user=web --socket=)" +
                                 server_->socket() +
                                 R"( --batch --skip-column-names "$DB_DATABASE" "$@"; }
case $1 in
  heads) echo 'two (head)' ;;
  current) sql -e 'SELECT version_num FROM alembic_version' ;;
  upgrade) sql <migration.sql ;;
esac
)");
    migration("ALTER TABLE note ADD COLUMN author text");
  }
  void migration(const std::string& statements) const {
    host.write("migration.sql", statements + "; UPDATE alembic_version SET version_num = 'two'");
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  static std::string sql(const std::string& statements) { return server_->sql("app", statements); }
  // The database itself, and all that the server has of databases and privileges.
  static std::string production() {
    return server_->dump("app") + sql("SHOW DATABASES; SELECT * FROM mysql.db ORDER BY Db, User");
  }

  inline static std::unique_ptr<MariadbProcess> server_;
  FakeHost host;
  std::optional<FakeDocker> docker;
};

TEST_F(MariadbRehearsal, MigratesACopyAsTheApplicationsUser) {
  const std::string before = production();
  std::string during;
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "upgrade") {
      during =
          sql("SELECT grantee, count(*), max(is_grantable) FROM "
              "information_schema.schema_privileges WHERE table_schema LIKE '%rehearsal%' GROUP "
              "BY 1 ORDER BY 1; SELECT event_schema FROM information_schema.events");
    }
  };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(during.rfind("'reader'@'localhost'\t1\tYES\n'web'@'localhost'\t", 0), 0u) << during;
  EXPECT_EQ(during.find("rehearsal"), std::string::npos) << "events would run: " << during;
  const StepResult verify = step("verify");
  EXPECT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(production(), before);
  EXPECT_NE(host.outputs.at("rehearsal").value.find("all 2 tables have as many rows as before"),
            std::string::npos)
      << host.outputs.at("rehearsal").value;
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(MariadbRehearsal, AHalfAppliedMigrationStaysInTheCopy) {
  migration("DROP TABLE audit; SELECT * FROM nowhere");
  const std::string before = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("nowhere' doesn't exist"), std::string::npos) << run.failure;
  EXPECT_EQ(production(), before);
}

TEST_F(MariadbRehearsal, RefusesATriggerThatNamesTheDatabaseItself) {
  sql("CREATE TRIGGER outside AFTER UPDATE ON note FOR EACH ROW INSERT INTO app.audit VALUES (1)");
  const std::string before = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("the trigger outside of database app names that database itself"),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(production(), before);
}

// It asks the copy for the revision, and then goes where it likes.
TEST_F(MariadbRehearsal, AMigratorThatGoesToTheDatabaseAllTheSameChangesNothingThere) {
  host.write("alembic.sh", R"(
case $1 in
  upgrade) DB_DATABASE=app ;;
esac
sql() { mariadb --no-defaults --user=web --socket=)" +
                               server_->socket() + R"( --batch --skip-column-names "$DB_DATABASE"; }
case $1 in
  heads) echo 'two (head)' ;;
  current) echo 'SELECT version_num FROM alembic_version' | sql ;;
  upgrade) { echo 'SELECT version_num FROM alembic_version;'; cat migration.sql; } | sql ;;
esac
)");
  host.option("/lock_timeout", 1000);
  const std::string before = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("a session that was opened after the migrator's start (connection "),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(production(), before);
}

TEST_F(MariadbRehearsal, ARevisionThatNamesTheDatabaseItselfIsRefusedBefore) {
  const std::string before = production();
  for (const std::string upgrade :
       {"op.add_column('note', sa.Column('author'), schema='app')",
        "op.execute('INSERT INTO audit SELECT id FROM `app`.note')", "op.execute('USE app')"}) {
    host.write("migrations/versions/two.py",
               "from alembic import op\nrevision = 'two'\ndown_revision = 'one'\n"
               "def upgrade():\n    " +
                   upgrade + "\n");
    for (const char* name : {"plan", "run"}) {
      const StepResult refused = step(name);
      EXPECT_NE(refused.failure.find("the pending revision two ("), std::string::npos)
          << name << ": " << refused.failure;
      EXPECT_NE(refused.failure.find("two.py) names database app itself ("), std::string::npos)
          << refused.failure;
    }
  }
  EXPECT_EQ(production(), before);
  // The same name of something else is nobody's business, nor is what a downgrade would do.
  host.write("migrations/versions/two.py",
             "\"\"\"Not of app.note.\"\"\"\nfrom alembic import op\nfrom app.note import x\n"
             "revision = 'two'\ndown_revision = 'one'\ndef upgrade():\n"
             "    op.execute('UPDATE note app SET app.text = app.text')\n"
             "def downgrade():\n    op.execute('DROP TABLE app.note')\n");
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
}

TEST_F(MariadbRehearsal, PartitionsThatAJobMakesAreNoChangeOfTheDatabase) {
  sql("CREATE TABLE event (id int PRIMARY KEY) PARTITION BY RANGE (id)"
      " (PARTITION p0 VALUES LESS THAN (10))");
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "upgrade") {
      sql("ALTER TABLE event ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))");
    }
  };
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
}

// Its dump waits for a table, and is not waited for.
TEST_F(MariadbRehearsal, KilledWhileItDumpsItLeavesNoSession) {
  const auto outlives_the_step = [](std::vector<std::string> words, const std::string& input) {
    words.insert(words.begin() + 1, {"--no-defaults", "--socket=" + server_->socket()});
    Process process;
    process.arguments = std::move(words);
    process.environment = {std::string("MYSQL_PWD=") + MariadbProcess::password};
    process.input = input;
    process.directory = "/";
    return std::thread([process] { execute(process, -1); });
  };
  std::thread holding = outlives_the_step({"mariadb", "--user=root", "--database=app"},
                                          "LOCK TABLES note WRITE; SELECT SLEEP(600)");
  const std::string dump =
      "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%SQL_NO_CACHE%' AND "
      "info NOT LIKE '%processlist%'";
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  const auto await = [&](const std::string& query, const std::string& answer) {
    while (sql(query) != answer) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("never: " + query);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  };
  await("SELECT count(*) FROM information_schema.processlist WHERE info = 'SELECT SLEEP(600)'",
        "1\n");
  std::thread client;
  docker->instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "mariadb-dump" ||
        std::find(words.begin(), words.end(), "--no-data") != words.end()) {
      return std::nullopt;
    }
    client = outlives_the_step(words, "");  // as one in a container outlives its `docker exec`
    await(dump, "1\n");
    host.die();
  };
  host.on_death([&] { server_->kill_clients(true); });
  ASSERT_TRUE(step("run").died);
  server_->kill_clients(false);
  docker->instead = nullptr;
  ASSERT_EQ(sql(dump), "1\n");
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql(dump), "0\n");
  client.join();
  sql("KILL " +
      sql("SELECT id FROM information_schema.processlist WHERE info = 'SELECT SLEEP(600)'"));
  holding.join();
}

// With the backslashes of a grant its copy's name would be too long.
TEST_F(MariadbRehearsal, ALongNameWithUnderscoresIsCopiedAsWell) {
  const std::string name = "a_name_with_underscores_that_is_longer_than_others_are";
  server_->sql("mysql",
               "CREATE DATABASE " + name + "; GRANT ALL ON `" + name + "`.* TO web@localhost");
  server_->sql(name,
               "CREATE TABLE alembic_version (version_num varchar(32));"
               "INSERT INTO alembic_version VALUES ('one'); CREATE TABLE note (id int)");
  host.option("/database/name", name);
  host.option("/environment/DB_DATABASE", name);
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  server_->sql("mysql",
               "DROP DATABASE " + name + "; REVOKE ALL ON `" + name + "`.* FROM web@localhost");
}

TEST_F(MariadbRehearsal, KilledInAStatementItLeavesNothingAfterARollback) {
  migration(
      "CREATE TABLE late AS SELECT a.seq FROM seq_1_to_10000000 a, seq_1_to_10000000 b WHERE "
      "a.seq + b.seq < 0");
  const std::string before = production();
  const std::string late =
      "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE late%'";
  std::thread migrator;
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() != "upgrade") return;
    migrator = std::thread([process] { execute(process, -1); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (sql(late) != "1\n") {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("never began");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    host.die();
  };
  host.on_death([&] { server_->kill_clients(true); });
  ASSERT_TRUE(step("run").died);
  server_->kill_clients(false);
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  migrator.join();
  EXPECT_EQ(sql(late), "0\n");
  EXPECT_EQ(production(), before);
}

class SqliteRehearsal : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/alembic", X_OK) != 0) GTEST_SKIP() << "Alembic is not installed";
    host.run_real_processes();
    host.write("alembic.ini", "[alembic]\nscript_location = migrations\n");
    host.write("migrations/env.py", R"(
import os
from alembic import context
from sqlalchemy import create_engine
with create_engine("sqlite:///" + os.environ["DB_FILE"]).connect() as connection:
    context.configure(connection=connection, transactional_ddl=False)
    context.run_migrations()
)");
    revision("one", "None", "op.execute('CREATE TABLE note (id INTEGER)')");
    host.option("/sqlite", "data/app.db");
    host.option("/command", {"alembic", "upgrade", "head"});
    host.option("/environment/DB_FILE", "data/app.db");
    std::filesystem::create_directories(host.deployment_dir() + "/data");
    ASSERT_TRUE(step("run").ok());
    run_sql("INSERT INTO note VALUES (1), (2)");
    host.notes.clear();
    revision("two", "'one'", "op.execute('ALTER TABLE note ADD COLUMN author TEXT')");
    host.option("/mode", "rehearse");
  }
  void revision(const std::string& name, const std::string& down,
                const std::string& upgrade) const {
    host.write("migrations/versions/" + name + ".py",
               "from alembic import op\nrevision = '" + name + "'\ndown_revision = " + down +
                   "\ndef upgrade():\n    " + upgrade + "\n");
  }
  void run_sql(const std::string& sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((host.deployment_dir() + "/data/app.db").c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(handle);
  }
  // Names and content of all files where the database is.
  std::map<std::string, std::string> production() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(host.deployment_dir() + "/data")) {
      const std::string name = entry.path().filename().string();
      files[name] = host.read("data/" + name);
    }
    return files;
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  FakeHost host;
};

TEST_F(SqliteRehearsal, MigratesACopyBesideTheFile) {
  const auto before = production();
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
  EXPECT_EQ(production(), before);
  EXPECT_NE(host.outputs.at("rehearsal").value.find("the migration one -> two took"),
            std::string::npos);
}

TEST_F(SqliteRehearsal, AFailureAndADeathLeaveNothing) {
  revision("two", "'one'", "op.execute('DROP TABLE note')\n    raise RuntimeError('no room')");
  const auto before = production();
  EXPECT_NE(step("run").failure.find("no room"), std::string::npos);
  EXPECT_EQ(production(), before);
  for (int n = 1;; ++n) {
    host.notes.clear();
    host.die_at_remember(n);
    if (!step("run").died) break;
    EXPECT_TRUE(step("rollback").ok()) << n;
    EXPECT_EQ(production(), before) << n;
  }
}

TEST_F(SqliteRehearsal, ACommandThatReadsItsOwnSettingsIsFoundOut) {
  host.write("run.sh", "export DB_FILE=data/app.db; exec alembic \"$@\"\n");
  host.option("/command", {"sh", "run.sh", "upgrade", "head"});
  const auto before = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("would not migrate the copy but the database itself"),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(production(), before);
}

}  // namespace
