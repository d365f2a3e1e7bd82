// backup with a real PostgreSQL: what a failed upgrade did to it is undone, and proven undone.
#include "backup_world.h"
#include "postgres_content.h"
#include "postgres_facts.h"
#include "postgres_restore.h"

using namespace drydock::testing;
using drydock::DumpContent;
using drydock::DumpReader;

namespace {

using BackupPostgres = BackupOn<PostgresProcess>;

TEST_F(BackupPostgres, UndoesAMigrationAndKeepsWhatItLeft) {
  const auto before = facts();
  EXPECT_EQ(before.at("database.app.revision"), "one");
  back_up();
  EXPECT_EQ(host.outputs.at("dump").value, host.private_dir() + "/databases/db/app.dump");
  EXPECT_EQ(host.outputs.at("sha256").value.size(), 64u);
  migrate_badly();
  EXPECT_NE(facts(), before);

  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_NE(host.log_text().find("dropdb --username app app_failed_1"), std::string::npos);
  EXPECT_EQ(facts(), before);
  EXPECT_EQ(sql("app", "SELECT count(*) FROM note"), "1003\n");
  EXPECT_EQ(sql("app_failed_1", "SELECT count(*) FROM note"), "500\n");
  EXPECT_EQ(sql("app", "INSERT INTO note (text) VALUES ('next') RETURNING id"), "1004\n");
  // What belongs to the database, and not to its dump.
  EXPECT_EQ(sql("app", "SHOW search_path"), "public, \"$user\"\n");
  EXPECT_EQ(sql("app", "SHOW lock_timeout"), "7s\n");
  const std::string may_connect =
      "SELECT has_database_privilege('reader', 'app', 'CONNECT WITH GRANT OPTION'),"
      " has_database_privilege('public', 'app', 'CONNECT')";
  EXPECT_EQ(sql("app", may_connect), "t|f\n");
  EXPECT_TRUE(host.violations.empty()) << host.violations.front();
}

TEST_F(BackupPostgres, LeavesAnUnchangedDatabaseAlone) {
  back_up();
  const std::string oid = sql("app", "SELECT oid FROM pg_database WHERE datname = 'app'");
  sql("app", "VACUUM FULL note");  // moves every row, changes none
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(sql("app", "SELECT oid FROM pg_database WHERE datname = 'app'"), oid);
  EXPECT_NE(host.log_text().find("is as it was"), std::string::npos);

  sql("app", "UPDATE note SET text = 'another' WHERE id = 7");  // same rows, schema and revision
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(sql("app", "SELECT text FROM note WHERE id = 7"), "note 7\n");
}

TEST_F(BackupPostgres, PutsBackWhatIsOfTheDatabaseAlone) {
  back_up();
  sql("app", "ALTER DATABASE app SET lock_timeout = '1s'");
  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql("app", "SHOW lock_timeout"), "7s\n");
}

TEST_F(BackupPostgres, RollsBackAfterADeathAtEachNote) {
  const auto before = facts();
  for (int note = 1; note <= 2; ++note) {
    for (const bool durable : {false, true}) {
      Other other(docker->containers);
      FakeHost& fresh = other.host;
      fresh.option("/databases/0/service", {"db"});
      fresh.run_id = static_cast<std::uint64_t>(10 * note + durable);
      ASSERT_TRUE(fresh.perform<Backup>("run").ok());
      migrate_badly();
      // The rollback itself dies at its notes, and is repeated.
      durable ? fresh.die_at_remember(note) : fresh.die_before_remember(note);
      EXPECT_TRUE(fresh.perform<Backup>("rollback").died);
      const StepResult repeated = fresh.perform<Backup>("rollback");
      ASSERT_TRUE(repeated.ok()) << repeated.failure;
      EXPECT_EQ(facts(), before);
      EXPECT_EQ(sql("app", "SHOW lock_timeout"), "7s\n");
      const std::string kept = "app_failed_" + std::to_string(fresh.run_id);
      EXPECT_EQ(databases(), (std::vector<std::string>{"app", kept}));
      sql("app", "DROP DATABASE " + kept);
    }
  }
  host.die_before_remember(1);  // of run: nothing is noted, so there is nothing to restore
  EXPECT_TRUE(step("run").died);
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_EQ(facts(), before);
}

TEST_F(BackupPostgres, StartsTheOldServerThatWasStopped) {
  back_up();
  migrate_badly();
  docker->of("db").state = "exited";
  server->stop();
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_TRUE(docker->composed.empty());  // the container that is still there is the right one
  EXPECT_EQ(sql("app", "SELECT count(*) FROM note"), "1003\n");
}

TEST_F(BackupPostgres, MakesTheOldServiceAnewFromTheKeptModel) {
  back_up();
  migrate_badly();
  docker->containers = {};
  docker->images["postgres:15"] =
      "sha256:another";  // what `pull` brought; its rollback comes later
  server->stop();
  host.write("model-before.json", "gone with the release");
  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  ASSERT_EQ(docker->composed.size(), 1u);
  const std::vector<std::string>& up = docker->composed[0];
  const auto file = std::find(up.begin(), up.end(), "--file") + 1;
  std::ifstream model(*file);
  const std::string text{std::istreambuf_iterator<char>(model), {}};
  EXPECT_NE(text.find("sha256:one"), std::string::npos) << text;
  EXPECT_EQ(std::vector<std::string>(up.end() - 7, up.end()),
            (std::vector<std::string>{"up", "--detach", "--no-deps", "--pull", "never",
                                      "--no-build", "db"}));
  EXPECT_EQ(sql("app", "SELECT count(*) FROM note"), "1003\n");
}

TEST_F(BackupPostgres, NeverStartsASecondServerOnTheSameData) {
  back_up();
  docker->containers = {{"database-1", "database"}};  // the new service still holds the folder
  const StepResult rollback = step("rollback");
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_NE(rollback.failure.find("docker stop sample-database-1"), std::string::npos)
      << rollback.failure;
  EXPECT_TRUE(docker->composed.empty());
}

TEST_F(BackupPostgres, KeepsNoHalfDump) {
  docker->instead = [](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "pg_dump") return std::nullopt;
    return Result{1, "half", "pg_dump: error: No space left on device"};
  };
  const StepResult failed = step("run");
  EXPECT_EQ(failed.status, DRYDOCK_FAILED);
  EXPECT_NE(failed.failure.find("No space left"), std::string::npos) << failed.failure;
  docker->instead = [](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "pg_dump") return std::nullopt;
    return Result{0, "PGDMP and nothing more", ""};  // exit code 0, and not a dump
  };
  const StepResult unreadable = step("run");
  EXPECT_EQ(unreadable.status, DRYDOCK_FAILED);
  EXPECT_NE(unreadable.failure.find("cannot be read back"), std::string::npos)
      << unreadable.failure;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(host.private_dir())) {
    const std::string name = entry.path().filename().string();
    const bool whole = name == "model.json" || name.rfind("accounts", 0) == 0;
    EXPECT_TRUE(!entry.is_regular_file() || whole) << entry.path();
  }
  EXPECT_FALSE(host.note("dump/db/app"));
}

TEST_F(BackupPostgres, PlansWhatIsDumpedAndWhatItWouldLose) {
  ASSERT_TRUE(step("plan").ok());
  ASSERT_EQ(host.changes.size(), 1u);
  EXPECT_EQ(host.changes[0].name, "app");
  EXPECT_EQ(host.changes[0].before, "one");
  EXPECT_GT(host.changes[0].disk_bytes, 1'000'000);
  EXPECT_NE(host.changes[0].rollback_loses.find("api"), std::string::npos);
  docker->containers = {{"api-1", "api", "sha256:api", "running", "api:1", "/x", ""}};
  for (const auto& left : std::filesystem::directory_iterator(host.planning_dir())) {
    std::filesystem::remove_all(left);  // another plan
  }
  EXPECT_EQ(step("plan").status, DRYDOCK_UNKNOWN);
  EXPECT_EQ(facts().at("database.app.schema"), "not running");
  const StepResult run = step("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("running now: api"), std::string::npos) << run.failure;
  for (const auto& process : host.processes) {
    for (const std::string& word : process.arguments) EXPECT_EQ(word.find("hidden"), word.npos);
  }
}

TEST_F(BackupPostgres, NamesTheDatabasesThatThereAre) {
  sql("template1", "CREATE DATABASE app_plugin");
  sql("template1", "CREATE DATABASE app_failed_3");  // of an earlier rollback
  host.option("/databases/0/names", {"app", "missing"});
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("no database missing; it has app, app_plugin"), std::string::npos)
      << run.failure;
  host.clear_options();
  host.option("/databases/0/kind", "auto");
  host.option("/wait", 20'000);
  back_up();
  EXPECT_TRUE(host.note("dump/db/app"));
  EXPECT_TRUE(host.note("dump/db/app_plugin"));
  EXPECT_FALSE(host.note("dump/db/app_failed_3"));
}

TEST(DumpReader, ComparesRowsWhateverTheirOrder) {
  const auto read = [](const std::vector<std::string>& lines) {
    DumpReader reader;
    for (const std::string& line : lines) reader.line(line);
    return reader.finish();
  };
  const DumpContent one = read({"-- made at 1", "\\restrict abc", "CREATE TABLE t (a text);",
                                "COPY public.t (a) FROM stdin;", "x", "-- y", "\\."});
  const DumpContent other = read({"-- made at 2", "\\restrict xyz", "CREATE TABLE t (a text);",
                                  "COPY public.t (a) FROM stdin;", "-- y", "x", "\\."});
  EXPECT_EQ(one.data, other.data);
  EXPECT_EQ(one.statements, other.statements);
  EXPECT_EQ(one.rows.at("public.t"), 2u);
  const DumpContent less =
      read({"CREATE TABLE t (a text);", "COPY public.t (a) FROM stdin;", "x", "x", "\\."});
  EXPECT_NE(less.data, one.data);
  EXPECT_EQ(less.statements, one.statements);
}

TEST(DerivedName, FitsIntoAnIdentifier) {
  using drydock::backup::derived_name;
  EXPECT_EQ(derived_name("app", "_failed_7"), "app_failed_7");
  EXPECT_EQ(derived_name(std::string(63, 'x'), "_failed_7"), std::string(54, 'x') + "_failed_7");
  std::string umlauts;
  for (int i = 0; i < 31; ++i) umlauts += "\xC3\xBC";
  EXPECT_EQ(derived_name(umlauts, "_failed_7").size(), 63u);
  EXPECT_EQ(derived_name(umlauts, "_failed_71").size(), 62u);  // not half a character
}

}  // namespace
