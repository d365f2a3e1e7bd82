// backup of databases outside the deployment, by URL and this machine's own clients.
#include <cstdlib>

#include "backup_world.h"
#include "database_url.h"

using namespace drydock::testing;
using drydock::Process;
using drydock::DatabaseUrl;
using drydock::parse_database_url;
namespace fs = std::filesystem;

namespace {

TEST(DatabaseUrl, ReadsAllItsParts) {
  const DatabaseUrl url =
      parse_database_url("mysql+pymysql://ad%40min:p%3A%2F%25w@db.example.org:3307/app%20one?x=1");
  EXPECT_EQ(url.kind, "mysql");
  EXPECT_EQ(url.user, "ad@min");
  EXPECT_EQ(url.password, "p:/%w");
  EXPECT_EQ(url.place(), "db.example.org:3307");
  EXPECT_EQ(url.database, "app one");
  const DatabaseUrl six = parse_database_url("postgres://u@[::1]:5433/app?sslmode=require");
  EXPECT_EQ(six.kind, "postgresql");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, "5433");
  EXPECT_EQ(six.ssl_mode, "require");
  EXPECT_EQ(parse_database_url("postgresql:///app?host=/run/pg").place(), "/run/pg");
}

TEST(DatabaseUrl, NeverShowsThePasswordOfWhatItCannotRead) {
  for (const char* bad : {"s3cret-word", "redis://u:s3cret-word@h/0",
                          "mysql://u:s3cret-word%zz@h/a", "mysql://u:s3cret-word@h:x1/a",
                          "mysql://u:s3cret-word@/a", "mysql://u:s3cret-word%0a@h/a"}) {
    try {
      parse_database_url(bad);
      ADD_FAILURE() << bad;
    } catch (const drydock::BadOptions& e) {
      EXPECT_EQ(std::string(e.what()).find("s3cret"), std::string::npos) << e.what();
    }
  }
}

std::string encoded(const std::string& text) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result;
  for (char c : text) {
    result += {'%', digits[static_cast<unsigned char>(c) >> 4],
               digits[static_cast<unsigned char>(c) & 15]};
  }
  return result;
}

void expect_hidden(const FakeHost& host, const std::string& password) {
  for (const auto& process : host.processes) {
    for (const std::string& word : process.arguments) EXPECT_EQ(word.find(password), word.npos);
    for (const std::string& word : process.environment) EXPECT_EQ(word.find(password), word.npos);
  }
  for (const auto& note : host.notes) EXPECT_EQ(note.value.find(password), note.value.npos);
  for (const auto& entry : fs::recursive_directory_iterator(host.private_dir())) {
    EXPECT_EQ(entry.path().extension() == ".part", false) << entry.path();
  }
}

TEST(BackupAtUrl, KeepsAndRestoresMariadbWithAPasswordThatOptionFilesTripOver) {
  if (!MariadbProcess::installed()) GTEST_SKIP() << "MariaDB is not installed";
  MariadbProcess server;
  server.sql("mysql", "CREATE DATABASE app");
  server.sql("app", "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)");
  FakeHost host;
  host.run_real_processes();
  host.option("/restore", "if-changed");
  // A first look has no folder of its own: the password is in one that is gone with it.
  ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", host.private_dir().c_str(), 1), 0);
  host.secret("/databases/0/url", "mariadb://root:" + encoded(MariadbProcess::password) +
                                      "@localhost/app?socket=" + server.socket());
  for (const char* step : {"observe", "plan", "run", "verify"}) {
    const StepResult result = host.perform<Backup>(step);
    ASSERT_TRUE(result.ok()) << step << ": " << result.failure;
    expect_hidden(host, MariadbProcess::password);
    if (step == std::string("observe")) {
      const std::string settings = host.processes.back().arguments[1];
      const std::string folder = "--defaults-extra-file=" + host.private_dir() + "/drydock-client-";
      EXPECT_EQ(settings.rfind(folder, 0), 0u) << settings;
      EXPECT_TRUE(fs::is_empty(host.private_dir()));
    }
  }
  ::unsetenv("XDG_RUNTIME_DIR");
  server.sql("app", "DELETE FROM t");
  const StepResult rollback = host.perform<Backup>("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  expect_hidden(host, MariadbProcess::password);
  EXPECT_EQ(server.sql("app", "SELECT count(*) FROM t"), "2\n");

  // A secret that leads elsewhere by now.
  host.secret("/databases/0/url", "mariadb://root:other-word@localhost/app?socket=/elsewhere");
  const StepResult elsewhere = host.perform<Backup>("rollback");
  EXPECT_NE(elsewhere.failure.find("dumped from " + server.socket()), std::string::npos)
      << elsewhere.failure;
  EXPECT_NE(elsewhere.failure.find("leads to /elsewhere"), std::string::npos);
  EXPECT_EQ(elsewhere.failure.find("other-word"), std::string::npos);

  host.secret("/databases/0/url",
              "mariadb://root:wrong-word@localhost/app?socket=" + server.socket());
  const StepResult refused = host.perform<Backup>("plan");
  EXPECT_NE(refused.failure.find("Access denied"), std::string::npos) << refused.failure;
  EXPECT_EQ(refused.failure.find("wrong-word"), std::string::npos);
}

// Large enough for pg_dump to go back in its file, where it may, after the beginning was hashed.
TEST(BackupAtUrl, KeepsAndRestoresPostgres) {
  if (!PostgresProcess::installed()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  PostgresProcess server(PostgresProcess::Access::by_password);
  server.sql("app", Product<PostgresProcess>::large);
  const std::string rows = server.dump("app");
  FakeHost host;
  host.run_real_processes();
  host.option("/wait", 300);
  const std::string at = "@/app?host=" + server.folder();
  host.secret("/databases/0/url", "postgresql://app:hidd%65n" + at);
  for (const char* step : {"observe", "plan", "run", "verify"}) {
    const StepResult result = host.perform<Backup>(step);
    ASSERT_TRUE(result.ok()) << step << ": " << result.failure;
    expect_hidden(host, PostgresProcess::password);
  }
  server.sql("app", "DELETE FROM large");
  const StepResult rollback = host.perform<Backup>("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_TRUE(server.dump("app") == rows);

  host.secret("/databases/0/url", "postgresql://app:wrong-word" + at);
  const StepResult refused = host.perform<Backup>("run");
  EXPECT_NE(refused.failure.find("password authentication failed"), std::string::npos)
      << refused.failure;
  EXPECT_EQ(refused.failure.find("wrong-word"), std::string::npos);
  server.stop();
  const StepResult dead = host.perform<Backup>("run");
  EXPECT_NE(dead.failure.find("does not accept connections as user app"), std::string::npos)
      << dead.failure;
}

// While a run is planned answers are kept, and two servers may be asked the same.
TEST(BackupAtUrl, TellsTwoServersApart) {
  FakeHost host;
  host.on_process([](const Process& process) {
    const auto& variables = process.environment;
    const bool first = std::count(variables.begin(), variables.end(), "PGHOST=one") == 1;
    const bool sizes = process.input.find("pg_database_size") != std::string::npos;
    return Result{0, sizes ? std::string("app\x1f") + (first ? "111" : "222") + "\n" : ""};
  });
  host.secret("/databases/0/url", "postgresql://app@one/app");
  host.secret("/databases/1/url", "postgresql://app@two/app");
  const StepResult plan = host.perform<Backup>("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  ASSERT_EQ(host.changes.size(), 2u);
  EXPECT_EQ(host.changes[0].disk_bytes, 111);
  EXPECT_EQ(host.changes[1].disk_bytes, 222);
  ASSERT_TRUE(host.perform<Backup>("observe").ok());
  EXPECT_EQ(host.facts.count("database.app.schema"), 1u);
  EXPECT_EQ(host.facts.count("database.two/app.schema"), 1u);
}

TEST(BackupEntries, SayOneWayToTheDatabase) {
  FakeHost host;
  host.option("/databases/0/file", "app.db");
  host.option("/databases/0/kind", "mariadb");
  StepResult plan = host.perform<Backup>("plan");
  EXPECT_EQ(plan.status, DRYDOCK_BAD_OPTIONS);
  EXPECT_NE(plan.failure.find("`file` is for SQLite"), std::string::npos) << plan.failure;
  host.option("/databases/0/kind", "sqlite");
  host.option("/databases/0/service", "db");
  plan = host.perform<Backup>("plan");
  EXPECT_NE(plan.failure.find("one of `service`, `url` and `file`"), std::string::npos);
  host.clear_options();
  host.option("/databases/0/kind", "sqlite");
  EXPECT_EQ(host.perform<Backup>("plan").status, DRYDOCK_BAD_OPTIONS);
}

}  // namespace
