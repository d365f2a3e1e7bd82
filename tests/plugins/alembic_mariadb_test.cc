// alembic-migrate with a real MariaDB: where the database is, and one migrator at a time. The
// migrator is MariaDB's own client, which does to alembic_version what Alembic would.
#include "alembic_migrate_stage.h"
#include "mariadb_world.h"

using namespace drydock::testing;
using drydock::Process;

namespace {

class AlembicMariadb : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!MariadbProcess::installed()) return;
    server_ = std::make_unique<MariadbProcess>();
    server_->sql("mysql", "CREATE DATABASE app");
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_) GTEST_SKIP() << "MariaDB is not installed";
    server_->sql("mysql", "DROP DATABASE app; CREATE DATABASE app");
    docker.emplace(host, server_.get());
    FakeContainer container{"db-1", "db"};
    container.image = "mariadb:10.11";
    container.environment = R"("MARIADB_DATABASE=app", "MARIADB_ROOT_PASSWORD=hid\"den#p\\n' =;ü")";
    docker->containers = {container};
    deploy(host);
  }
  void deploy(FakeHost& to) const {
    to.stage_id = "migrate";
    to.option("/command", {"sh", "migrate.sh"});
    to.option("/scripts", "migrations/versions");
    to.secret("/secret_environment/MYSQL_PWD", MariadbProcess::password);
    to.write("migrations/versions/one.py", "revision = 'one'\ndown_revision = None\n");
    to.write("migrations/versions/two.py", "revision = 'two'\ndown_revision = 'one'\n");
    to.write("migrate.sh", "exec mariadb --no-defaults --user=root --socket=" + server_->socket() +
                               " app < migration.sql\n");
    to.write("migration.sql",
             "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32));"
             "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('two')");
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  std::string sql(const std::string& statements) const { return server_->sql("app", statements); }

  inline static std::unique_ptr<MariadbProcess> server_;
  FakeHost host;
  std::optional<FakeDocker> docker;
};

TEST_F(AlembicMariadb, MigratesAndLetsTheLockGo) {
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("revision").value, "no table alembic_version");
  const StepResult plan = step("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_EQ(host.changes.at(0).after, "two");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  const StepResult verify = step("verify");
  EXPECT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(host.outputs.at("revision").value, "two");
  EXPECT_EQ(sql("SELECT IS_USED_LOCK(CONCAT('drydock-', MD5('app')))"), "NULL\n");
  std::filesystem::remove_all(host.planning_dir() + "/answers");  // of the plan before
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.at(0).action, "keep");
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(AlembicMariadb, OfTwoMigratorsTheSecondIsRefused) {
  FakeHost second;
  FakeDocker same(second, server_.get());
  same.containers = docker->containers;
  deploy(second);
  StepResult refused;
  docker->before_command = [&](const Process&) { refused = second.perform<AlembicMigrate>("run"); };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_NE(refused.failure.find("another migrator is at work on database app: its lock is held by "
                                 "connection "),
            std::string::npos)
      << refused.failure;
  EXPECT_NE(refused.failure.find(" of root from localhost"), std::string::npos) << refused.failure;
  EXPECT_TRUE(second.perform<AlembicMigrate>("run").ok());
}

// Each statement is its own transaction: the migration stays half done, and the stamp behind it.
TEST_F(AlembicMariadb, AHalfAppliedRevisionIsSaidToBeOne) {
  ASSERT_TRUE(step("run").ok());
  sql("UPDATE alembic_version SET version_num = 'one'");
  host.notes.clear();
  host.write("migration.sql", "CREATE TABLE half (id int); SELECT * FROM nowhere");
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("Table 'app.nowhere' doesn't exist"), std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("its revision is still one"), std::string::npos) << run.failure;
  EXPECT_EQ(step("verify").status, DRYDOCK_FAILED);
}

TEST_F(AlembicMariadb, RefusesALostStamp) {
  sql("CREATE TABLE alembic_version (version_num varchar(32)); CREATE TABLE note (id int)");
  EXPECT_NE(step("plan").failure.find("an empty table alembic_version beside other tables"),
            std::string::npos);
  EXPECT_EQ(step("run").status, DRYDOCK_FAILED);
}

}  // namespace
