// A deployment with a real database server, as the stages `backup` and `restore` see it, and what
// tests ask of it, whichever product it is.
#pragma once

#include "backup_stage.h"
#include "mariadb_world.h"
#include "postgres_world.h"
#include "restore_stage.h"

namespace drydock::testing {

// What each product says in its own words.
template <class Server>
struct Product;

template <>
struct Product<PostgresProcess> {
  static constexpr auto name = "PostgreSQL 15";
  static constexpr auto maintenance = "template1";  // a database that is always there
  static constexpr auto dump_suffix = ".dump";
  static constexpr auto all_databases =
      "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY "
      "1";
  static constexpr auto drop = "DROP DATABASE \"";
  static constexpr char quote = '"';
  static constexpr auto create = "CREATE DATABASE app";
  // What makes a dump hard to compare: a check that is written differently after a restore, rows
  // like the dump's own syntax, a view, a function, a sequence, an enum, a large object.
  static constexpr auto schema = R"sql(
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TABLE note (id serial PRIMARY KEY, text text NOT NULL, mood mood DEFAULT 'calm',
  status varchar(9) CHECK (status IN ('open', 'closed')), amount numeric(10, 2) DEFAULT 0);
CREATE INDEX note_open ON note (text) WHERE status IN ('open', 'closed');
INSERT INTO note (text, status) SELECT 'note ' || n, 'open' FROM generate_series(1, 1000) n;
INSERT INTO note (text, status) VALUES ('-- no comment', 'closed'), (E'\\.\nCOPY', 'open'),
  ('SET x', 'open');
CREATE VIEW open_note AS SELECT id, text FROM note WHERE status IN ('open');
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT 2 * x';
SELECT lo_from_bytea(0, 'a large object');
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('one');
ALTER DATABASE app SET search_path TO public, "$user";
ALTER ROLE app IN DATABASE app SET lock_timeout TO '7s';
DROP ROLE IF EXISTS reader; CREATE ROLE reader;
REVOKE CONNECT ON DATABASE app FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO reader WITH GRANT OPTION;
-- A sequence whose numbers were not written since is further on after a crash.
CHECKPOINT;)sql";
  static constexpr auto bad_migration = R"sql(
DELETE FROM note WHERE id > 500; ALTER TABLE note ADD COLUMN author text; DROP VIEW open_note;
UPDATE alembic_version SET version_num = 'two'; ALTER DATABASE app SET lock_timeout = '1s';)sql";
  // Takes a dump long enough for somebody else to see it grow.
  static constexpr auto large = R"sql(
CREATE TABLE large AS SELECT n, (SELECT string_agg(md5((n * 100 + i)::text), '')
  FROM generate_series(1, 32) i) AS text FROM generate_series(1, 10000) n)sql";

  static std::unique_ptr<PostgresProcess> start() {
    return std::make_unique<PostgresProcess>(PostgresProcess::Access::by_password);
  }
  static FakeContainer container() { return {"db-1", "db"}; }
  static std::string environment(const std::string& password) {
    return R"("POSTGRES_USER=app", "POSTGRES_DB=app", "POSTGRES_PASSWORD=)" + password + "\"";
  }
  // Of a restore's commands, every which one finds the server dead.
  static constexpr int stride = 2;
  // Of the data, as a backup.
  static bool is_dump(const std::vector<std::string>& words) {
    return words[0] == "pg_dump" &&
           std::find(words.begin(), words.end(), "--format=custom") != words.end();
  }
  // A dump, into a database.
  static bool loads(const std::vector<std::string>& words) {
    return words[0] == "pg_restore" &&
           std::find(words.begin(), words.end(), "--exit-on-error") != words.end();
  }
};

template <>
struct Product<MariadbProcess> {
  static constexpr auto name = "MariaDB";
  static constexpr auto maintenance = "mysql";
  static constexpr auto dump_suffix = ".sql";
  static constexpr auto all_databases =
      "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN"
      " ('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY 1";
  static constexpr auto drop = "SET foreign_key_checks = 0; DROP DATABASE `";
  static constexpr char quote = '`';
  static constexpr auto create =
      "CREATE DATABASE app CHARACTER SET latin1 COLLATE latin1_german1_ci";
  // What makes a dump hard to compare: rows like the dump's own syntax, a routine with an INSERT, a
  // trigger, an event, a view, a sequence, generated columns, bytes, a table that keeps its
  // history.
  static constexpr auto schema = R"sql(SET NAMES utf8mb4;
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
  static constexpr auto bad_migration = R"sql(
DELETE FROM note WHERE id > 500; ALTER TABLE note ADD COLUMN author text;
DROP PROCEDURE add_note; CREATE TABLE half_made (a int);
UPDATE alembic_version SET version_num = 'two')sql";
  static constexpr auto large =
      "CREATE TABLE large AS SELECT seq AS n, repeat(sha2(seq, 512), 8) AS text FROM "
      "seq_1_to_10000";

  static std::unique_ptr<MariadbProcess> start() { return std::make_unique<MariadbProcess>(); }
  static FakeContainer container() {
    return {"db-1",
            "db",
            "sha256:one",
            "running",
            "mariadb:10.11",
            "/srv/app/volumes/db",
            environment(MariadbProcess::password)};
  }
  static std::string environment(const std::string& password) {
    std::string json;  // as `docker inspect` writes it
    for (const char c : password) {
      if (c == '"' || c == '\\') json += '\\';
      json += c;
    }
    return "\"MARIADB_ROOT_PASSWORD=" + json + "\", \"MARIADB_DATABASE=app\"";
  }
  static constexpr int stride = 3;  // most of them are questions
  static bool is_dump(const std::vector<std::string>& words) {
    return words[0] == "mariadb-dump" &&
           std::find(words.begin(), words.end(), "--no-data") == words.end();
  }
  static bool loads(const std::vector<std::string>& words) {
    return std::find(words.begin(), words.end(), "--binary-mode") != words.end();
  }
};

// For the names of typed tests.
struct ServerName {
  template <class Server>
  static std::string GetName(int) {
    return std::is_same_v<Server, MariadbProcess> ? "MariaDB" : "PostgreSQL";
  }
};

// One server for all tests of a suite, with a new database `app` for each.
template <class Server>
class BackupOn : public ::testing::Test {
 protected:
  using Of = Product<Server>;

  // Another run on the same deployment.
  struct Other {
    explicit Other(const std::vector<FakeContainer>& containers) : docker(host, server.get()) {
      docker.containers = containers;
      host.option("/wait", 20'000);
    }
    FakeHost host;
    FakeDocker docker;
  };

  static void SetUpTestSuite() {
    if (Server::installed()) server = Of::start();
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override {
    if (!server) GTEST_SKIP() << Of::name << " is not installed";
    if (!server->started()) server->start();
    for (const std::string& name : databases()) {
      sql(Of::maintenance, Of::drop + name + Of::quote);
    }
    sql(Of::maintenance, Of::create);
    sql("app", Of::schema);
    docker.emplace(host, server.get());
    docker->containers = {Of::container(),
                          {"api-1", "api", "sha256:api", "running", "api:1", "/x", ""}};
    host.option("/databases/0/service", {"database", "db"});
    host.option("/databases/0/names", {"app"});
    host.option("/wait", 20'000);
  }
  void TearDown() override {
    if (!server) return;
    // The password is in no argument, note or line, whatever happened.
    for (const char* part : {"hid\"", "#p", "hidden"}) {
      for (const auto& process : host.processes) {
        for (const std::string& word : process.arguments) EXPECT_EQ(word.find(part), word.npos);
      }
      for (const auto& note : host.notes) EXPECT_EQ(note.value.find(part), note.value.npos);
      EXPECT_EQ(host.log_text().find(part), std::string::npos);
    }
    EXPECT_TRUE(host.violations.empty()) << host.violations.front();
  }

  static std::string sql(const std::string& database, const std::string& statements) {
    return server->sql(database, statements);
  }
  static std::vector<std::string> databases() {
    std::vector<std::string> names;
    std::string rest = sql(Of::maintenance, Of::all_databases);
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      names.push_back(rest.substr(0, end));
    }
    return names;
  }
  static void migrate_badly() { sql("app", Of::bad_migration); }
  // All rows, in a form in which equal means equal.
  static std::string rows() { return server->dump("app"); }

  StepResult step(const std::string& name) { return host.template perform<Backup>(name); }
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
  std::string dump_file() const { return host.outputs.at("dump").value; }
  // What is in the private folder, but for what is written beside dumps.
  std::vector<std::string> kept() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(host.private_dir())) {
      const std::string name = entry.path().filename().string();
      const bool beside = entry.path().extension() == ".json" ||
                          (name.rfind("accounts", 0) == 0 && entry.path().extension() == ".sql");
      if (entry.is_regular_file() && !beside) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  static bool has(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  inline static std::unique_ptr<Server> server;
  FakeHost host;
  std::optional<FakeDocker> docker;
};

}  // namespace drydock::testing
