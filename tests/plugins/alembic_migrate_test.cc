// alembic-migrate: with a real Alembic on SQLite, and with scripted answers of docker.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include "alembic_migrate_stage.h"
#include "alembic_world.h"
#include "drydock/testing.hpp"
#include "migrator.h"

using namespace drydock::testing;
using drydock::Process;
using drydock::alembic::parse_heads;
using Words = std::vector<std::string>;

namespace {

void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(handle);
}

// An application with two revisions; Alembic itself is Debian's.
class LocalAlembic : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/usr/bin/alembic", X_OK) != 0) GTEST_SKIP() << "Alembic is not installed";
    host.run_real_processes();
    host.write("alembic.ini",
               "[alembic]\nscript_location = migrations\nsqlalchemy.url = "
               "sqlite:///app.db\n");
    host.write("migrations/env.py", R"(
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection, transactional_ddl=False)
    context.run_migrations()
)");
    revision("one", "None", "op.execute('CREATE TABLE note (id INTEGER)')");
    revision("two", "'one'", "op.execute('ALTER TABLE note ADD COLUMN author TEXT')");
    host.option("/sqlite", "app.db");
    host.option("/command", {"alembic", "upgrade", "head"});
    database = host.deployment_dir() + "/app.db";
  }
  void revision(const std::string& name, const std::string& down, const std::string& upgrade) {
    host.write("migrations/versions/" + name + ".py",
               "from alembic import op\nrevision = '" + name + "'\ndown_revision = " + down +
                   "\ndef upgrade():\n    " + upgrade + "\n");
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  FakeHost host;
  std::string database;
};

TEST_F(LocalAlembic, MigratesToTheHeadAndProvesIt) {
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("revision").value, "no table alembic_version");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.at(0).what, "revision");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  const StepResult verify = step("verify");
  EXPECT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(host.outputs.at("revision").value, "two");
  ASSERT_TRUE(step("run").ok());  // again, with nothing to do
  ASSERT_TRUE(step("verify").ok());
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(LocalAlembic, StartsNoMigratorWhereNothingIsPending) {
  ASSERT_TRUE(step("run").ok());
  host.option("/command", {"false", "upgrade", "head"});
  host.notes.clear();
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_NE(host.log_text().find("is at the head already"), std::string::npos);
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(LocalAlembic, TheApplicationsCheckCounts) {
  host.write("check.sh", "echo looking; echo the accounts are gone >&2; exit $1\n");
  host.option("/check", {"sh", "check.sh", "0"});
  ASSERT_TRUE(step("run").ok());
  EXPECT_TRUE(step("verify").ok());
  host.option("/check", {"sh", "check.sh", "3"});
  const StepResult verify = step("verify");
  EXPECT_NE(verify.failure.find("the application's check `sh check.sh 3` ended with exit code 3 ("),
            std::string::npos)
      << verify.failure;
  EXPECT_NE(verify.failure.find("the accounts are gone"), std::string::npos);
}

// The command comes from the options; the folder's alembic.ini leads to the scripts.
TEST_F(LocalAlembic, PlansFromTheScriptsOfTheDeployment) {
  ASSERT_TRUE(step("plan").ok());
  ASSERT_EQ(host.changes.size(), 3u);
  EXPECT_EQ(host.changes[0].before + " -> " + host.changes[0].after,
            "no table alembic_version -> two");
  EXPECT_EQ(host.changes[2].name, "two");
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.processes.size(), 1u) << "nothing but the migrator ran";
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.at(0).action, "keep");
  // What an earlier stage's plan left: the next release's scripts.
  const std::string planned = host.planned_dir() + "/migrations/versions";
  std::filesystem::create_directories(planned);
  std::ofstream(planned + "/three.py") << "revision = 'three'\ndown_revision = 'two'\n";
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.at(0).after, "three");
  run_sql(database, "UPDATE alembic_version SET version_num = 'four'");
  EXPECT_NE(step("plan").failure.find("app.db is at revision four"), std::string::npos);
}

TEST_F(LocalAlembic, AsksAlembicWhereTheScriptsDoNotTell) {
  revision("two", "str('one')", "op.execute('ALTER TABLE note ADD COLUMN author TEXT')");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(host.changes.at(0).detail.find("two.py:3: `down_revision`"), std::string::npos)
      << host.changes.at(0).detail;
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.processes.size(), 2u);
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(LocalAlembic, SaysWhereAFailedMigrationStopped) {
  revision("two", "'one'", "raise RuntimeError('the disk is full')");
  const StepResult run = step("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("the disk is full"), std::string::npos) << run.failure;
  EXPECT_NE(run.failure.find("from no table alembic_version to one"), std::string::npos)
      << run.failure;
  EXPECT_TRUE(step("rollback").ok());
}

TEST_F(LocalAlembic, DoesNotBelieveAnExitCode) {
  host.option("/heads_command", {"alembic", "heads"});
  host.option("/command", {"true"});  // exit code 0, and did nothing
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(step("verify").failure.find("has no table alembic_version"), std::string::npos);

  host.option("/command", {"alembic", "upgrade", "one"});
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(step("verify").failure.find("is at revision one, and the head of `alembic` is two"),
            std::string::npos);

  run_sql(database, "DELETE FROM alembic_version");
  EXPECT_NE(step("verify").failure.find("its revision is lost"), std::string::npos);
  run_sql(database, "INSERT INTO alembic_version VALUES ('one'), ('two')");
  EXPECT_NE(step("verify").failure.find("several revisions at once (one, two)"), std::string::npos);
}

TEST_F(LocalAlembic, AcceptsSeveralHeadsOnlyWhenTheDatabaseHasThemAll) {
  revision("three", "'one'", "pass");
  host.option("/command", {"alembic", "upgrade", "heads"});
  ASSERT_TRUE(step("run").ok());
  EXPECT_TRUE(step("verify").ok());
  run_sql(database, "DELETE FROM alembic_version WHERE version_num = 'two'");
  EXPECT_EQ(step("verify").status, DRYDOCK_FAILED);
}

TEST(AlembicHeads, AreReadAmongOtherOutput) {
  EXPECT_EQ(parse_heads("INFO  [app] loading (head) of state\n72c1f0 (head)\n"), (Words{"72c1f0"}));
  EXPECT_EQ(parse_heads("b2 (billing) (head)\na1 (head)\nb2 (billing) (head)"),
            (Words{"a1", "b2"}));
  EXPECT_EQ(parse_heads("Rev: a1 (head)\nParent: 00\n"), (Words{"a1"}));
  EXPECT_EQ(parse_heads("a1 (effective head)\nb2 (notes) (head)\n"), (Words{"b2"}));
  EXPECT_EQ(parse_heads("no heads\n\n"), Words{});
}

TEST(AlembicOptions, NeedAWayToTheHeads) {
  FakeHost host;
  host.option("/sqlite", "app.db");
  host.option("/command", {"./migrate.sh"});
  EXPECT_NE(host.perform<AlembicMigrate>("verify").failure.find("`heads_command`"),
            std::string::npos);
  host.clear_options();
  host.option("/command", {"alembic", "upgrade", "head"});
  EXPECT_EQ(host.perform<AlembicMigrate>("observe").status, DRYDOCK_BAD_OPTIONS);
}

using InContainer = AlembicWorld;

TEST_F(InContainer, RunsANotedAndLabelledContainer) {
  ASSERT_TRUE(step("run").ok());
  const Words& words = migrated.arguments;
  std::string container;  // noted before it ran
  for (const Note& note : host.notes) {
    if (note.key.find("-migrate-migrate-") != std::string::npos) container = note.value;
  }
  const auto run = std::find(words.begin(), words.end(), "run");
  EXPECT_EQ(
      Words(run, words.end()),
      (Words{"run", "--rm", "-T", "--no-deps", "--name", container, "--label", "drydock.run=test/1",
             "-e", "PGAPPNAME=" + container, "-e", "MODE=migration", "-e", "TOKEN", "api"}));
  EXPECT_LE(container.size(), 63u);
  EXPECT_TRUE(has(migrated.environment, "TOKEN=secret-token"));
  EXPECT_NE(host.log_text().find("Running migrations"), std::string::npos);
}

TEST_F(InContainer, DiesWithTheContainerNoted) {
  killed_at = migrates;
  ASSERT_FALSE(step("run").ok());
  leftover = "abc123\n";
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(ended, Words{"abc123"});
  EXPECT_NE(host.log_text().find("ending the one-off container drydock-migrate-"),
            std::string::npos);
  EXPECT_NE(terminated.find("drydock-migrate-"), std::string::npos);
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(ended.size(), 1u);
}

TEST_F(InContainer, ARepeatedRunEndsTheMigratorBeforeIt) {
  killed_at = migrates;
  ASSERT_TRUE(step("run").died);
  leftover = "abc123\n";
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(ended, Words{"abc123"});
}

TEST_F(InContainer, ExitCodeZeroAndTheOldRevisionIsAFailure) {
  ASSERT_TRUE(step("run").ok());
  const StepResult verify = step("verify");
  EXPECT_EQ(verify.status, DRYDOCK_FAILED);
  EXPECT_NE(verify.failure.find("database data is at revision one, and the head of the image of "
                                "service api is two"),
            std::string::npos)
      << verify.failure;
  revision = "two";
  EXPECT_TRUE(step("verify").ok());
  heads = {1, "", "Error: no such command 'db'"};
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(step("verify").failure.find("no such command"), std::string::npos);
}

TEST_F(InContainer, NamesTheLastWordsOfAFailedMigrator) {
  migrator = {1, "step 1\n", "column \"workspace\" contains null values\n"};
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("contains null values"), std::string::npos) << run.failure;
  EXPECT_NE(run.failure.find("its revision is still one"), std::string::npos) << run.failure;
}

TEST_F(InContainer, TheCheckRunsInANotedContainer) {
  revision = "two";
  host.option("/check", {"flask", "check"});
  heads = {0, "two (head)\n"};  // what is started in place of the entrypoint
  host.notes.push_back({"heads", "two\n"});
  const StepResult verify = step("verify");
  EXPECT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(std::any_of(host.notes.begin(), host.notes.end(), [](const Note& one) {
    return one.key.rfind("container/drydock-migrate-check-", 0) == 0;
  }));
  heads = {3, "", "no accounts\n"};
  EXPECT_NE(step("verify").failure.find("`flask check` ended with exit code 3 (no accounts)"),
            std::string::npos);
}

}  // namespace
