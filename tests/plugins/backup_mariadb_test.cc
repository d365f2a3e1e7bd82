// backup with a real MariaDB: what a failed upgrade did to it is undone, and proven undone.
#include <sys/mount.h>

#include <thread>

#include "backup_stage.h"
#include "mariadb_trial.h"
#include "mariadb_world.h"
#include "restore_stage.h"

using namespace drydock::testing;
using drydock::Process;
namespace fs = std::filesystem;

namespace {

// What makes a dump hard to compare: rows like the dump's own syntax, a routine with an INSERT, a
// trigger, an event, a view, a sequence, generated columns, bytes, a table that keeps its history.
constexpr auto schema = R"sql(
CREATE TABLE note (id int AUTO_INCREMENT PRIMARY KEY, text text NOT NULL COMMENT 'it''s
two lines', status varchar(9) CHECK (status IN ('open', 'closed')), amount decimal(10, 2) DEFAULT 0,
bytes blob, twice decimal(12, 2) GENERATED ALWAYS AS (amount * 2) STORED);
INSERT INTO note (text, status, amount) SELECT concat('note ', seq), 'open', seq FROM seq_1_to_1000;
INSERT INTO note (text, status, bytes) VALUES ('-- no comment', 'closed', 0x00FF270A5C),
  ('),(\'quoted\\\'; INSERT INTO `note` VALUES (', 'open', NULL), ('line\r\nbreak', 'open', ''),
  ('ünï', 'open', NULL);
CREATE TABLE `odd ``name` (a int);
INSERT INTO `odd ``name` VALUES (1), (1), (2);
CREATE TABLE history (a int) WITH SYSTEM VERSIONING;
INSERT INTO history VALUES (1);
UPDATE history SET a = 2;
CREATE SEQUENCE counter;
CREATE VIEW open_note AS SELECT id, text FROM note WHERE status = 'open';
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('one');
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO DELETE FROM note WHERE id = 0;
DELIMITER //
CREATE PROCEDURE add_note() BEGIN
INSERT INTO `note` (text) VALUES ('by routine');
END//
CREATE TRIGGER trimmed BEFORE INSERT ON note FOR EACH ROW SET NEW.text = trim(NEW.text)//
)sql";

constexpr auto bad_migration = R"sql(
DELETE FROM note WHERE id > 500; ALTER TABLE note ADD COLUMN author text;
DROP PROCEDURE add_note; CREATE TABLE half_made (a int);
UPDATE alembic_version SET version_num = 'two')sql";

class BackupMariadb : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (MariadbProcess::installed()) server = new MariadbProcess;
  }
  static void TearDownTestSuite() {
    delete server;
    server = nullptr;
  }
  void SetUp() override {
    if (server == nullptr) GTEST_SKIP() << "MariaDB is not installed";
    if (!server->started()) server->start();
    for (const std::string& name : databases())
      sql("mysql", "SET foreign_key_checks = 0; DROP DATABASE `" + name + "`");
    sql("mysql", "CREATE DATABASE app CHARACTER SET latin1 COLLATE latin1_german1_ci");
    sql("app", std::string("SET NAMES utf8mb4;") + schema);
    docker.containers = {container(), {"api-1", "api", "sha256:api", "running", "api:1", "/x", ""}};
    host.option("/databases/0/service", {"database", "db"});
    host.option("/databases/0/names", {"app"});
    host.option("/wait", 20'000);
  }
  void TearDown() override {
    if (server == nullptr) return;
    // The password is in no argument, note or line, whatever happened.
    for (const auto& process : host.processes) {
      for (const std::string& word : process.arguments) EXPECT_EQ(word.find("hid\""), word.npos);
    }
    for (const auto& note : host.notes) EXPECT_EQ(note.value.find("#p"), note.value.npos);
    EXPECT_EQ(host.log_text().find("#p"), std::string::npos);
    EXPECT_TRUE(host.violations.empty()) << host.violations.front();
  }

  static FakeContainer container() {
    std::string json;  // the password as `docker inspect` writes it
    for (const char* c = MariadbProcess::password; *c != '\0'; ++c) {
      if (*c == '"' || *c == '\\') json += '\\';
      json += *c;
    }
    return {"db-1",
            "db",
            "sha256:one",
            "running",
            "mariadb:10.11",
            "/srv/app/volumes/db",
            "\"MARIADB_ROOT_PASSWORD=" + json + "\", \"MARIADB_DATABASE=app\""};
  }
  static std::string sql(const std::string& database, const std::string& statements) {
    return server->sql(database, statements);
  }
  static std::vector<std::string> databases() {
    std::vector<std::string> names;
    std::string rest = sql("mysql",
                           "SELECT schema_name FROM information_schema.schemata WHERE schema_name"
                           " NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')"
                           " ORDER BY 1");
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      names.push_back(rest.substr(0, end));
    }
    return names;
  }
  StepResult step(const std::string& name) { return host.perform<Backup>(name); }
  std::map<std::string, std::string> facts() {
    const StepResult result = step("observe");
    EXPECT_TRUE(result.ok()) << result.failure;
    std::map<std::string, std::string> values;
    for (const auto& [name, fact] : host.facts) {
      if (fact.must_return) values[name] = fact.value;
    }
    return values;
  }
  void back_up() {
    const StepResult run = step("run");
    ASSERT_TRUE(run.ok()) << run.failure;
    const StepResult verify = step("verify");
    ASSERT_TRUE(verify.ok()) << verify.failure;
  }
  // What is in the private folder, but for what is written beside dumps.
  std::vector<std::string> kept() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(host.private_dir())) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && name != "model.json" && name.rfind("accounts", 0) != 0 &&
          entry.path().extension() != ".json") {
        names.push_back(name);
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  static bool is(const std::vector<std::string>& words, const std::string& tool) {
    return words[0] == tool;
  }

  static MariadbProcess* server;
  FakeHost host;
  FakeDocker docker{host, server};
};
MariadbProcess* BackupMariadb::server = nullptr;

TEST_F(BackupMariadb, UndoesAMigrationAndKeepsWhatItLeft) {
  const auto before = facts();
  const std::string content = server->dump("app");
  const std::string next = sql("mysql",
                               "SELECT auto_increment FROM information_schema.tables"
                               " WHERE table_schema = 'app' AND table_name = 'note'");
  EXPECT_EQ(before.at("database.app.revision"), "one");
  back_up();
  EXPECT_EQ(host.outputs.at("dump").value, host.private_dir() + "/databases/db/app.sql");
  sql("app", bad_migration);
  const std::string failed = server->dump("app");
  EXPECT_NE(facts(), before);

  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_NE(host.log_text().find("app.failed.sql"), std::string::npos) << host.log_text();
  EXPECT_EQ(facts(), before);
  EXPECT_EQ(server->dump("app"), content);
  EXPECT_EQ(sql("app", "SELECT @@character_set_database, @@collation_database"),
            "latin1\tlatin1_german1_ci\n");
  EXPECT_EQ(sql("app", "SELECT count(*) FROM history FOR SYSTEM_TIME ALL"), "2\n");
  EXPECT_EQ(sql("app", "INSERT INTO note (text) VALUES ('next'); SELECT last_insert_id()"), next);
  // What the migration left can be looked at.
  sql("mysql", "CREATE DATABASE looked_at");
  std::ifstream file(host.private_dir() + "/databases/db/app.failed.sql", std::ios::binary);
  sql("looked_at", std::string(std::istreambuf_iterator<char>(file), {}));
  EXPECT_EQ(server->dump("looked_at"), failed);
}

TEST_F(BackupMariadb, LeavesAnUnchangedDatabaseAlone) {
  back_up();
  const std::string table = sql("mysql",
                                "SELECT table_id FROM information_schema.innodb_sys_tables"
                                " WHERE name = 'app/note'");
  sql("app", "UPDATE note SET text = 'another' WHERE id = 7");
  sql("app", "UPDATE note SET text = 'note 7' WHERE id = 7");
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_NE(host.log_text().find("is as it was"), std::string::npos) << host.log_text();
  EXPECT_EQ(sql("mysql",
                "SELECT table_id FROM information_schema.innodb_sys_tables"
                " WHERE name = 'app/note'"),
            table);
  sql("app", "UPDATE note SET text = 'another' WHERE id = 7");  // same rows, schema and revision
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(sql("app", "SELECT text FROM note WHERE id = 7"), "note 7\n");
}

TEST_F(BackupMariadb, RollsBackAfterADeathAtAnyCommandOrNote) {
  const std::string content = server->dump("app");
  host.option("/restore", "always");  // without the look beforehand, which changes nothing
  back_up();
  const std::size_t notes = host.notes.size();
  // Each command, each note once it is durable, and each before it is.
  enum class At { command, note, before_note };
  for (const At at : {At::command, At::note, At::before_note}) {
    bool died = true;
    for (int n = 1; died; ++n) {
      host.notes.resize(notes);  // of this rollback nothing is known yet
      sql("app", "DELETE FROM note WHERE id > 500; DROP VIEW open_note");
      if (at == At::command) host.die_at_process(n);
      if (at == At::note) host.die_at_remember(n);
      if (at == At::before_note) host.die_before_remember(n);
      died = step("rollback").died;
      const StepResult repeated = step("rollback");
      ASSERT_TRUE(repeated.ok()) << n << ": " << repeated.failure;
      ASSERT_EQ(server->dump("app"), content) << n;
      // The failed database was dumped aside before anything was dropped, and no half-restored one
      // was taken for it since.
      int aside = 0;
      for (const auto& entry : fs::directory_iterator(host.private_dir() + "/databases/db")) {
        const std::string name = entry.path().filename().string();
        EXPECT_EQ(name.find(".part"), name.npos) << n;
        if (name.find(".failed") == name.npos) continue;
        ++aside;
        std::ifstream file(entry.path());
        const std::string left{std::istreambuf_iterator<char>(file), {}};
        EXPECT_NE(left.find("Dump completed"), left.npos) << name << " " << n;
        EXPECT_NE(left.find("(500,"), left.npos) << name << " " << n;
        EXPECT_EQ(left.find("(501,"), left.npos) << name << " " << n;
        fs::remove(entry.path());
      }
      EXPECT_GE(aside, 1) << n;
    }
  }
  FakeHost fresh;
  FakeDocker fresh_docker(fresh, server);
  fresh_docker.containers = docker.containers;
  fresh.option("/databases/0/service", {"db"});
  fresh.die_before_remember(1);  // of run: nothing is noted, so there is nothing to restore
  EXPECT_TRUE(fresh.perform<Backup>("run").died);
  EXPECT_TRUE(fresh.perform<Backup>("rollback").ok());
  EXPECT_EQ(server->dump("app"), content);
}

// Of a stage `restore` in a run of its own, which has the private folder of the backup to read.
TEST_F(BackupMariadb, IsRestoredByHandAndThatIsUndone) {
  const std::string content = server->dump("app");
  back_up();
  sql("app", bad_migration);
  const std::string since = server->dump("app");
  FakeHost other;
  FakeDocker other_docker(other, server);
  other_docker.containers = docker.containers;
  other_docker.containers[0].id = "db-made-anew";
  other.option("/from", host.private_dir());
  other.option("/wait", 20'000);
  ASSERT_TRUE(other.perform<Restore>("observe").ok());
  const auto before = other.facts;
  ASSERT_TRUE(other.perform<Restore>("plan").ok());
  ASSERT_EQ(other.changes.size(), 1u);
  EXPECT_EQ(other.changes[0].before, "two");
  EXPECT_EQ(other.changes[0].after, "one");
  for (int note = 1; note <= 2; ++note) {
    other.die_at_remember(note);  // and each time it is begun again
    ASSERT_TRUE(other.perform<Restore>("run").died) << note;
  }
  const StepResult run = other.perform<Restore>("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(server->dump("app"), content);
  EXPECT_TRUE(other.perform<Restore>("verify").ok());
  const StepResult rollback = other.perform<Restore>("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(server->dump("app"), since);
  ASSERT_TRUE(other.perform<Restore>("observe").ok());
  EXPECT_EQ(other.facts, before);
}

TEST_F(BackupMariadb, IsRestoredWhereTheDatabaseIsGone) {
  const std::string content = server->dump("app");
  back_up();
  sql("mysql", "DROP DATABASE app");
  FakeHost other;
  FakeDocker other_docker(other, server);
  other_docker.containers = docker.containers;
  other.option("/from", host.private_dir());
  other.option("/only", {"app"});
  other.option("/wait", 20'000);
  const StepResult run = other.perform<Restore>("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(server->dump("app"), content);
  ASSERT_TRUE(other.perform<Restore>("rollback").ok());
  EXPECT_EQ(databases(), std::vector<std::string>{});
  other.option("/only", {"another"});
  EXPECT_NE(other.perform<Restore>("plan").failure.find("it has app"), std::string::npos);
}

TEST_F(BackupMariadb, IsReadWholeAndRestoredOnTrial) {
  back_up();
  const std::string content = server->dump("app");
  for (const char* check : {"read", "restore"}) {
    host.option("/check", check);
    const StepResult verify = step("verify");
    EXPECT_TRUE(verify.ok()) << verify.failure;
    EXPECT_EQ(databases(), std::vector<std::string>{"app"});
    EXPECT_EQ(server->dump("app"), content);
  }
  host.option("/check", "restore");
  docker.of("db").state = "exited";  // a look starts nothing
  EXPECT_NE(step("verify").failure.find("does not run"), std::string::npos);
  host.option("/check", "read");
  EXPECT_TRUE(step("verify").ok());  // plain SQL needs no server
}

TEST_F(BackupMariadb, KeepsNoHalfDump) {
  const auto fails_with = [&](const Result& result, const std::string& reason) {
    docker.instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
      const bool data = std::find(words.begin(), words.end(), "--no-data") == words.end();
      return is(words, "mariadb-dump") && data ? std::optional(result) : std::nullopt;
    };
    const StepResult failed = step("run");
    EXPECT_EQ(failed.status, DRYDOCK_FAILED);
    EXPECT_NE(failed.failure.find(reason), std::string::npos) << failed.failure;
    EXPECT_EQ(kept(), std::vector<std::string>{});
  };
  fails_with({2, "half", "mariadb-dump: Error 1146: Table 'app.note' doesn't exist"}, "Error 1146");
  fails_with({0, "CREATE TABLE `note` (\n", ""}, "ends early");
  fails_with({-1, "-- half", "", 9}, "signal 9");
  EXPECT_FALSE(host.note("dump/db/app"));
}

// The dump has printed the first table and waits for a lock on the next one when the server dies.
TEST_F(BackupMariadb, SaysThatTheServerDiedInTheMiddleOfADump) {
  std::thread killer;
  docker.instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    if (!is(words, "mariadb-dump") || killer.joinable() ||
        std::find(words.begin(), words.end(), "--no-data") != words.end()) {
      return std::nullopt;
    }
    killer = std::thread([] {
      Process lock;
      lock.arguments = {"mariadb", "--user=root", "--database=app", "--unbuffered"};
      lock.environment = {std::string("MYSQL_PWD=") + MariadbProcess::password};
      lock.input = "LOCK TABLES note WRITE; DO SLEEP(100);";
      std::thread holder([&] { server->client(lock); });
      while (sql("mysql", "SHOW FULL PROCESSLIST").find("metadata lock") == std::string::npos) {
      }
      server->stop();
      holder.join();
    });
    // The lock is there before the dump begins.
    while (sql("mysql", "SHOW FULL PROCESSLIST").find("SLEEP(100)") == std::string::npos) {
    }
    return std::nullopt;
  };
  const StepResult failed = step("run");
  if (killer.joinable()) killer.join();
  EXPECT_EQ(failed.status, DRYDOCK_FAILED);
  EXPECT_NE(failed.failure.find("Lost connection"), std::string::npos) << failed.failure;
  EXPECT_EQ(kept(), std::vector<std::string>{});
  EXPECT_FALSE(host.note("dump/db/app"));
}

TEST_F(BackupMariadb, RestoresAfterTheServerDiedInTheMiddleOfTheLoad) {
  const std::string content = server->dump("app");
  back_up();
  sql("app", bad_migration);
  docker.instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    const auto has = [&](const char* word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (!has("--binary-mode") || !has("--database=app")) return std::nullopt;
    sql("app", content.substr(0, content.find("INSERT INTO `note`")));
    server->stop();
    return Result{1, "", "ERROR 2013 (HY000): Lost connection to server during query"};
  };
  const StepResult failed = step("rollback");
  EXPECT_EQ(failed.status, DRYDOCK_FAILED);
  EXPECT_NE(failed.failure.find("Lost connection"), std::string::npos) << failed.failure;
  docker.instead = nullptr;
  docker.of("db").state = "exited";  // and is started by the rollback
  const StepResult repeated = step("rollback");
  ASSERT_TRUE(repeated.ok()) << repeated.failure;
  EXPECT_EQ(server->dump("app"), content);
  EXPECT_TRUE(docker.composed.empty());
}

TEST_F(BackupMariadb, RefusesADamagedDumpAndLeavesTheDatabase) {
  back_up();
  sql("app", bad_migration);
  const std::string failed = server->dump("app");
  const std::string dump = host.outputs.at("dump").value;
  const std::string whole = [&] {
    std::ifstream file(dump, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  std::string flipped = whole;
  flipped[flipped.find("note 700") + 2] ^= 1;
  for (const std::string& damaged :
       {flipped, whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2)}) {
    std::ofstream(dump, std::ios::binary) << damaged;
    EXPECT_EQ(step("verify").status, DRYDOCK_FAILED);
    const StepResult rollback = step("rollback");
    EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
    EXPECT_NE(rollback.failure.find("SHA-256"), std::string::npos) << rollback.failure;
    EXPECT_EQ(server->dump("app"), failed);
  }
}

TEST_F(BackupMariadb, SaysThatThePasswordIsWrongWithoutWaiting) {
  docker.containers[0].environment = R"("MARIADB_ROOT_PASSWORD=hidden-and-wrong")";
  const StepResult run = step("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("Access denied"), std::string::npos) << run.failure;
  EXPECT_EQ(run.failure.find("hidden-and-wrong"), std::string::npos) << run.failure;
  EXPECT_EQ(host.processes.size(), 3u);  // containers, and one question
}

TEST_F(BackupMariadb, SaysThatTheDiskIsFullAndLeavesNothing) {
  if (::geteuid() != 0 ||
      ::mount("tmpfs", host.private_dir().c_str(), "tmpfs", 0, "size=3m,mode=0700") != 0) {
    GTEST_SKIP() << "mounting a small file system needs root";
  }
  // Twice as large in hexadecimal as on the server's disk.
  sql("app",
      "CREATE TABLE big (b longblob); INSERT INTO big SELECT random_bytes(1024)"
      " FROM seq_1_to_2000; ANALYZE TABLE big");
  const StepResult run = step("run");
  const std::vector<std::string> left = kept();
  ::umount(host.private_dir().c_str());
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("No space left"), std::string::npos) << run.failure;
  EXPECT_EQ(left, std::vector<std::string>{});
  EXPECT_FALSE(host.note("dump/db/app"));
}

TEST_F(BackupMariadb, DumpsAsideAlsoWhatIsBroken) {
  const std::string content = server->dump("app");
  back_up();
  // As a migration that failed half-way leaves it: a view whose table has gone.
  sql("app", "ALTER TABLE note RENAME TO remark; DROP TRIGGER trimmed");
  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_NE(host.log_text().find("not all could be dumped"), std::string::npos);
  EXPECT_EQ(server->dump("app"), content);
}

TEST_F(BackupMariadb, EndsTheSessionsThatHoldTheDatabase) {
  const std::string content = server->dump("app");
  back_up();
  Process migrator;
  migrator.arguments = {"mariadb", "--user=root", "--database=app"};
  migrator.environment = {std::string("MYSQL_PWD=") + MariadbProcess::password};
  migrator.input = "START TRANSACTION; DELETE FROM alembic_version; DO SLEEP(100)";
  sql("app", "DELETE FROM note WHERE id > 500");
  std::thread session([&] { server->client(migrator); });
  while (sql("mysql", "SHOW FULL PROCESSLIST").find("SLEEP(100)") == std::string::npos) {
  }
  const StepResult rollback = step("rollback");
  session.join();
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(server->dump("app"), content);
}

TEST_F(BackupMariadb, PutsBackTheCharacterSetOfTheDatabaseAlone) {
  back_up();
  sql("app", "ALTER DATABASE app CHARACTER SET utf8mb4");
  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql("app", "SELECT @@collation_database"), "latin1_german1_ci\n");
}

// A view whose table has gone, as a migration that failed half-way leaves it.
TEST_F(BackupMariadb, IsRestoredByHandOverWhatIsDamaged) {
  const std::string content = server->dump("app");
  back_up();
  sql("app", "ALTER TABLE note RENAME TO remark; DROP TRIGGER trimmed");
  FakeHost other;
  FakeDocker other_docker(other, server);
  other_docker.containers = docker.containers;
  other.option("/from", host.private_dir());
  other.option("/wait", 20'000);
  ASSERT_TRUE(other.perform<Restore>("observe").ok());
  EXPECT_EQ(other.facts.at("database.app.schema").value, "unreadable");
  ASSERT_TRUE(other.perform<Restore>("plan").ok());
  ASSERT_EQ(other.changes.size(), 1u);
  EXPECT_EQ(other.changes[0].before, "unreadable");
  EXPECT_NE(other.changes[0].rollback_loses.find("not put back"), std::string::npos);
  const StepResult run = other.perform<Restore>("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(server->dump("app"), content);
}

TEST_F(BackupMariadb, IsNotRestoredByHandWithoutAWayBack) {
  back_up();
  sql("app", bad_migration);
  const std::string since = server->dump("app");
  FakeHost other;
  FakeDocker other_docker(other, server);
  other_docker.containers = docker.containers;
  other.option("/from", host.private_dir());
  other.option("/wait", 20'000);
  other_docker.instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    const bool data = std::find(words.begin(), words.end(), "--no-data") == words.end();
    return is(words, "mariadb-dump") && data ? std::optional(Result{2, "half", "No space left"})
                                             : std::nullopt;
  };
  const StepResult run = other.perform<Restore>("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("it was left alone"), std::string::npos) << run.failure;
  EXPECT_EQ(server->dump("app"), since);
}

TEST_F(BackupMariadb, RestoresWhatTablesElsewhereReferTo) {
  sql("mysql", "CREATE DATABASE other");
  sql("other", "CREATE TABLE mine (id int, FOREIGN KEY (id) REFERENCES app.note (id))");
  const std::string content = server->dump("app");
  back_up();
  sql("app", bad_migration);
  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(server->dump("app"), content);
}

TEST_F(BackupMariadb, LeavesTheDatabaseAloneWhenTheDumpDoesNotLoad) {
  // Twice as large in the dump, and then more than the server takes.
  sql("app", "CREATE TABLE big (b longblob); INSERT INTO big SELECT repeat('x', 10000000)");
  const std::string content = server->dump("app");
  back_up();
  sql("app", bad_migration);
  const std::string failed = server->dump("app");
  const StepResult rollback = step("rollback");
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_EQ(server->dump("app"), failed);
  EXPECT_EQ(databases(), std::vector<std::string>{"app"});
  sql("mysql", "SET GLOBAL max_allowed_packet = 67108864");
  const StepResult repeated = step("rollback");
  sql("mysql", "SET GLOBAL max_allowed_packet = 16777216");
  ASSERT_TRUE(repeated.ok()) << repeated.failure;
  EXPECT_EQ(server->dump("app"), content);
}

TEST_F(BackupMariadb, RunsNoEventsOfADumpThatIsOnTrial) {
  sql("app",
      "CREATE TABLE seen (name text); CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND"
      " DO INSERT INTO app.seen VALUES (database())");
  back_up();
  const std::string dump = host.outputs.at("dump").value;
  const std::string copy = host.private_dir() + "/copy.sql";
  ASSERT_TRUE(drydock::backup::copy_without_events(dump, copy));
  const auto text = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  EXPECT_NE(text(dump).find("EVENT `tick`"), std::string::npos);
  EXPECT_EQ(text(copy).find("EVENT"), std::string::npos);
  EXPECT_NE(text(copy).find("PROCEDURE `add_note`"), std::string::npos);
  EXPECT_NE(text(copy).find("VIEW `open_note`"), std::string::npos);
  host.option("/check", "restore");
  std::string events = "?";
  docker.instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    const bool reads = is(words, "mariadb-dump") && words.back() == "app_restore_0";
    if (reads) {
      events = sql("mysql",
                   "SELECT count(*) FROM information_schema.events"
                   " WHERE event_schema = 'app_restore_0'");
    }
    return std::nullopt;
  };
  const StepResult verify = step("verify");
  docker.instead = nullptr;
  ASSERT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(events, "0\n");
  sql("app", "DROP EVENT tick");
  EXPECT_FALSE(drydock::backup::copy_without_events(copy, copy + ".2"));
}

TEST_F(BackupMariadb, LocksTablesThatHaveNoTransactions) {
  sql("app", "CREATE TABLE log (a int) ENGINE=MyISAM; INSERT INTO log VALUES (1)");
  const std::string content = server->dump("app");
  back_up();
  sql("app", "DELETE FROM log");
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(server->dump("app"), content);
}

TEST_F(BackupMariadb, PlansWhatIsDumped) {
  ASSERT_TRUE(step("plan").ok());
  ASSERT_EQ(host.changes.size(), 1u);
  EXPECT_EQ(host.changes[0].name, "app");
  EXPECT_EQ(host.changes[0].before, "one");
  EXPECT_GT(host.changes[0].disk_bytes, 50'000);
  EXPECT_NE(host.changes[0].detail.find("MariaDB dump of service db"), std::string::npos);
}

}  // namespace
