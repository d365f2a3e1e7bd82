// alembic-migrate with a real MariaDB: where the database is, and one migrator at a time. The
// migrator is MariaDB's own client, which does to alembic_version what Alembic would.
#include <atomic>
#include <chrono>
#include <thread>

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
    to.write("migrate.sh", "echo $$ > migrator; exec mariadb --no-defaults --user=root --socket=" +
                               server_->socket() + " app < migration.sql\n");
    to.write("migration.sql",
             "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32));"
             "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('two')");
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  std::string sql(const std::string& statements) const { return server_->sql("app", statements); }
  // Until a query has the answer, which fails the test instead of taking for ever.
  void await(const std::string& query, const std::string& answer) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (sql(query) != answer) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("never: " + query);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // A session that holds a lock until it is killed.
  std::thread holder(const std::string& lock, const std::string& first = "SELECT 1") const {
    std::thread thread([lock, first] {
      Process process;  // which lives when the clients of the run are killed
      process.arguments = {"mariadb", "--no-defaults", "--socket=" + server_->socket(),
                           "--user=root", "--database=app"};
      process.environment = {std::string("MYSQL_PWD=") + MariadbProcess::password};
      process.directory = "/";
      process.input = first + "; SELECT GET_LOCK(" + lock + ", 0); SELECT SLEEP(600)";
      execute(process, -1);
    });
    await("SELECT IS_USED_LOCK(" + lock + ") IS NOT NULL", "1\n");
    return thread;
  }
  void kill_holder(const std::string& lock) const {
    const std::string id = sql("SELECT IS_USED_LOCK(" + lock + ")");
    if (id != "NULL\n") sql("KILL " + id);
  }
  // A run whose worker and whose migrator's client are killed while the server is at work for it:
  // it does not notice.
  void die_in_a_statement() {
    host.write("migration.sql",
               "CREATE TABLE late AS SELECT a.seq FROM seq_1_to_10000000 a, seq_1_to_10000000 b"
               " WHERE a.seq + b.seq < 0");
    std::thread migrator;
    docker->before_command = [&](const Process& process) {
      migrator = std::thread([process] { execute(process, -1); });
      await(left, "1\n");
      pid_t client = 0;
      std::ifstream(host.deployment_dir() + "/migrator") >> client;
      ::kill(client, SIGKILL);
      migrator.join();
      server_->kill_clients(true);
      host.die();
    };
    ASSERT_TRUE(step("run").died);
    server_->kill_clients(false);
    await("SELECT IS_USED_LOCK(" + std::string(lock) + ") IS NULL", "1\n");
    docker->before_command = nullptr;
    ASSERT_EQ(sql(left), "1\n");
  }

  static constexpr auto left =
      "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE late%'";
  static constexpr auto lock_waits =
      "SELECT @@GLOBAL.lock_wait_timeout, @@GLOBAL.innodb_lock_wait_timeout";
  static constexpr auto lock = "CONCAT('drydock-', MD5('app'))";

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

TEST_F(AlembicMariadb, TheRollbackEndsTheStatementThatOutlivedItsClient) {
  std::thread bystander = holder("'bystander'");
  die_in_a_statement();
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql(left), "0\n");
  EXPECT_NE(host.log_text().find("of root from localhost (Query for "), std::string::npos)
      << host.log_text();
  // Who was there before the migrator stays, and once that has ended, so does everybody.
  std::thread late = holder("'late'");
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_EQ(sql("SELECT IS_USED_LOCK('bystander') IS NULL, IS_USED_LOCK('late') IS NULL"),
            "0\t0\n");
  kill_holder("'bystander'");
  kill_holder("'late'");
  bystander.join();
  late.join();
}

TEST_F(AlembicMariadb, ARepeatedRunStartsNoSecondMigratorBesideTheFirst) {
  die_in_a_statement();
  deploy(host);
  std::string beside;
  docker->before_command = [&](const Process&) { beside = sql(left); };
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(beside, "0\n");
  EXPECT_TRUE(step("verify").ok());
  // Done: who connects from now on is no migrator of it.
  std::thread late = holder("'late'");
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_EQ(sql("SELECT IS_USED_LOCK('late') IS NULL"), "0\n");
  kill_holder("'late'");
  late.join();
}

TEST_F(AlembicMariadb, TheRollbackLeavesAnotherMigratorAlone) {
  die_in_a_statement();
  std::thread other = holder(lock);
  const StepResult rollback = step("rollback");
  EXPECT_NE(rollback.failure.find("another migrator is at work there, whose lock connection "),
            std::string::npos)
      << rollback.failure;
  EXPECT_EQ(sql("SELECT IS_USED_LOCK(" + std::string(lock) + ") IS NULL"), "0\n");
  EXPECT_EQ(sql(left), "1\n");
  kill_holder(lock);
  other.join();
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_EQ(sql(left), "0\n");
}

// Variables of the server, which whoever connects takes over.
TEST_F(AlembicMariadb, TheLimitOfLockWaitsReachesTheMigratorAndIsPutBack) {
  sql("SET GLOBAL innodb_lock_wait_timeout = 7");
  host.option("/lock_timeout", 8001);
  ASSERT_TRUE(step("observe").ok());  // what belongs to the whole server has not to return
  EXPECT_EQ(host.facts.count("lock_timeout"), 0u);
  host.write("migration.sql",
             "CREATE TABLE seen AS SELECT @@lock_wait_timeout AS one, "
             "@@innodb_lock_wait_timeout AS two");
  EXPECT_TRUE(step("run").ok());
  EXPECT_EQ(sql("SELECT * FROM seen"), "9\t7\n");  // whole seconds, and never longer than it was
  EXPECT_EQ(sql(lock_waits), "86400\t7\n");
  sql("SET GLOBAL innodb_lock_wait_timeout = 50");
}

TEST_F(AlembicMariadb, AKilledRunLeavesTheLimitToTheRollback) {
  host.option("/lock_timeout", 2000);
  const auto die = [&] {
    host.notes.clear();
    docker->before_command = [&](const Process&) {
      server_->kill_clients(true);
      host.die();
    };
    ASSERT_TRUE(step("run").died);
    docker->before_command = nullptr;
    server_->kill_clients(false);
    ASSERT_EQ(sql(lock_waits), "2\t2\n");
  };
  die();
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql(lock_waits), "86400\t50\n");
  die();
  sql("SET GLOBAL lock_wait_timeout = 3600");  // somebody else's by now
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_TRUE(step("settle").ok());
  EXPECT_EQ(sql(lock_waits), "3600\t50\n");
  sql("SET GLOBAL lock_wait_timeout = 86400");
}

// The second begins while the first one's limit stands, and ends after it.
TEST_F(AlembicMariadb, OfTwoMigrationsOnAServerNoneLeavesItsLimit) {
  server_->sql("mysql", "CREATE DATABASE two");
  const std::filesystem::path here = std::filesystem::current_path();  // which two at once confuse
  FakeHost second;
  FakeDocker same(second, server_.get());
  same.containers = docker->containers;
  deploy(second);
  second.option("/database/name", "two");
  second.option("/lock_timeout", 1000);
  second.write("migrate.sh", "exec mariadb --no-defaults --user=root --socket=" +
                                 server_->socket() + " two < migration.sql\n");
  host.option("/lock_timeout", 5000);
  StepResult of_second;
  std::string meanwhile;
  std::thread beside;
  std::atomic<bool> first_is_done{false}, second_is_there{false};
  docker->before_command = [&](const Process&) {
    beside = std::thread([&] { of_second = second.perform<AlembicMigrate>("run"); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!second_is_there) {
      if (std::chrono::steady_clock::now() > until) throw std::runtime_error("never began");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    meanwhile = sql(lock_waits);
  };
  same.before_command = [&](const Process&) {
    second_is_there = true;
    while (!first_is_done) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  const StepResult run = step("run");
  first_is_done = true;
  beside.join();
  std::filesystem::current_path(here);
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(of_second.ok()) << of_second.failure;
  EXPECT_EQ(meanwhile, "5\t5\n");
  EXPECT_NE(second.log_text().find("another migration on service db"), std::string::npos);
  EXPECT_EQ(sql(lock_waits), "86400\t50\n");
  server_->sql("mysql", "DROP DATABASE two");
}

TEST_F(AlembicMariadb, AMigrationThatWaitsInVainIsNotStartedAgain) {
  sql("CREATE TABLE note (id int) ENGINE=InnoDB; INSERT INTO note VALUES (1)");
  host.option("/lock_timeout", 1000);
  host.option("/lock_retries", 3);
  host.write("migration.sql", "CREATE TABLE half (id int); ALTER TABLE note ADD COLUMN author int");
  std::thread reader = holder("'reader'", "BEGIN; SELECT count(*) FROM note");
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("Lock wait timeout exceeded"), std::string::npos) << run.failure;
  EXPECT_NE(run.failure.find("It waited for a lock in vain, and is not started again"),
            std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("transactions that are open: connection "), std::string::npos)
      << run.failure;
  EXPECT_EQ(sql(lock_waits), "86400\t50\n");
  kill_holder("'reader'");
  reader.join();
}

TEST_F(AlembicMariadb, ALongTransactionIsNamedBeforeAndRefused) {
  sql("CREATE TABLE note (id int) ENGINE=InnoDB; INSERT INTO note VALUES (1)");
  host.option("/long_transactions", "refuse");
  host.option("/long_after", 0);
  std::thread reader = holder("'reader'", "BEGIN; SELECT count(*) FROM note");
  EXPECT_TRUE(step("plan").ok());
  EXPECT_NE(host.log_text().find("would wait for a transaction: connection "), std::string::npos)
      << host.log_text();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("; end them (KILL NUMBER)"), std::string::npos) << run.failure;
  kill_holder("'reader'");
  reader.join();
  EXPECT_TRUE(step("run").ok());
}

TEST_F(AlembicMariadb, AServerThatDiesInTheMiddleIsSaidToHaveDied) {
  ASSERT_TRUE(step("run").ok());
  sql("UPDATE alembic_version SET version_num = 'one'");
  host.notes.clear();
  host.option("/wait", 300);
  host.option("/lock_timeout", 5000);
  host.write("migration.sql",
             "CREATE TABLE half (id int) ENGINE=InnoDB;"
             "CREATE TABLE late AS SELECT a.seq FROM seq_1_to_10000000 a, seq_1_to_10000000 b"
             " WHERE a.seq + b.seq < 0");
  std::thread killer;
  docker->before_command = [&](const Process&) {
    killer = std::thread([this] {
      await(left, "1\n");
      server_->stop();
    });
  };
  const StepResult run = step("run");
  killer.join();
  docker->before_command = nullptr;
  EXPECT_NE(run.failure.find("the migration of database app ended with exit code 1"),
            std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("its revision cannot be told: "), std::string::npos) << run.failure;
  server_->start();
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql(lock_waits), "86400\t50\n");  // a server that starts has its own again
  // The stamp is what it was; that half of the revision is there no stamp tells.
  EXPECT_EQ(sql("SELECT version_num FROM alembic_version"), "one\n");
  EXPECT_EQ(sql("SHOW TABLES LIKE 'half'"), "half\n");
}

}  // namespace
