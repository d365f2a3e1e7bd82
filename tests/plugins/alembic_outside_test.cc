// alembic-migrate and databases outside the deployment: asked from this machine, with no client of
// theirs. Real servers, of which only the place is unusual: a socket.
#include <cstdlib>

#include "alembic_postgres_world.h"
#include "mariadb_world.h"

using namespace drydock::testing;
using drydock::Process;

namespace {

constexpr auto password = R"(s3cret "a'b\c=@/é%)";
constexpr auto encoded_password = "s3cret%20%22a%27b%5Cc%3D%40%2F%C3%A9%25";

void expect_hidden(const FakeHost& host, const std::string& failure) {
  EXPECT_EQ(failure.find("s3cret"), std::string::npos) << failure;
  EXPECT_EQ(host.log_text().find("s3cret"), std::string::npos) << host.log_text();
  for (const Process& process : host.processes) {
    for (const std::string& word : process.arguments) EXPECT_EQ(word.find("s3cret"), word.npos);
  }
}

class OutsidePostgres : public AlembicOnPostgres {
 protected:
  void SetUp() override {
    AlembicOnPostgres::SetUp();
    if (IsSkipped()) return;
    host.project.clear();
    docker->containers.clear();
    host.secret("/database/url", url("app"));
    host.option("/wait", 300);
    sql("ALTER ROLE app IN DATABASE app RESET lock_timeout");
  }
  static std::string url(const std::string& account) {
    return "postgresql://" + account + "@/app?host=" + server_->folder();
  }
  // Who has to say a password, unlike everybody else.
  void writer() const {
    sql("DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'writer') THEN"
        " CREATE ROLE writer LOGIN PASSWORD 's3cret \"a''b\\c=@/é%'; END IF; END$$");
    const std::string file = server_->folder() + "/data/pg_hba.conf";
    std::ofstream(file) << "local all writer scram-sha-256\nlocal all all trust\n";
    sql("SELECT pg_reload_conf()");
    await("the new rules", [&] {
      return sql("SELECT count(*) FROM pg_hba_file_rules WHERE user_name = '{writer}'") == "1\n" &&
             sql("SELECT pg_conf_load_time() > now() - interval '1 minute'") == "t\n";
    });
  }
  std::string setting() const {
    return sql("SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole <> 0");
  }
  // What a run that was killed while its migrator started has left.
  void die() {
    docker->before_command = [&](const Process&) { host.die(); };
    ASSERT_TRUE(step("run").died);
    docker->before_command = nullptr;
  }
};

TEST_F(OutsidePostgres, MigratesWithoutAnyClient) {
  five_revisions(
      "op.execute(\"CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value\")");
  host.option("/lock_timeout", 700);
  sql("ALTER ROLE app IN DATABASE app SET lock_timeout = '7s'");
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("revision").value, "no table alembic_version");
  EXPECT_EQ(host.facts.at("lock_timeout").value, "lock_timeout=7s");
  const StepResult plan = step("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_EQ(host.changes.at(0).after, "five");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  const StepResult verify = step("verify");
  EXPECT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(host.outputs.at("revision").value, "five");
  EXPECT_EQ(sql("SELECT value FROM seen"), "700ms\n");
  EXPECT_EQ(setting(), "lock_timeout=7s\n");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0\n");
  for (const Process& process : host.processes) EXPECT_EQ(process.arguments[0], "alembic");
  EXPECT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.back().action, "keep");
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(OutsidePostgres, OfTwoMigratorsTheSecondIsToldWhoIsAtWork) {
  five_revisions();
  FakeHost second;
  FakeDocker same(second, server_.get());
  deploy(second);
  second.project.clear();
  second.secret("/database/url", url("app"));
  second.run_id = 7;
  StepResult refused;
  docker->before_command = [&](const Process&) { refused = second.perform<AlembicMigrate>("run"); };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_NE(refused.failure.find("another migrator is at work on database app: its lock is held by "
                                 "run 1 of " +
                                 host.deployment_dir()),
            std::string::npos)
      << refused.failure;
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(OutsidePostgres, TheRollbackEndsWhatAKilledRunLeft) {
  five_revisions();
  host.option("/lock_timeout", 700);
  die();
  EXPECT_EQ(setting(), "lock_timeout=700ms\n");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "1\n");
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(setting(), "");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0\n");
  EXPECT_TRUE(step("settle").ok());
}

TEST_F(OutsidePostgres, ThePasswordIsInNoCommandAndNoSentence) {
  five_revisions();
  writer();
  sql("GRANT CREATE ON SCHEMA public TO writer");
  host.secret("/database/url", url(std::string("writer:") + encoded_password));
  const StepResult plan = step("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  expect_hidden(host, plan.failure);
  host.secret("/database/url", url("writer:s3cret-but-wrong"));
  host.option("/wait", 60000);  // for which nothing waits: the password will not become right
  const StepResult refused = step("plan");
  EXPECT_NE(refused.failure.find("password authentication failed for user \"writer\""),
            std::string::npos)
      << refused.failure;
  expect_hidden(host, refused.failure);
}

TEST_F(OutsidePostgres, ItsPlaceMayStandInTheEnvFile) {
  five_revisions();
  writer();
  sql("GRANT CREATE ON SCHEMA public TO writer");
  FakeHost other;
  FakeDocker same(other, server_.get());
  same.containers = {{"db-1", "db"}};  // which is not the one that the application uses
  deploy(other);
  other.write(".env", std::string("DB_HOST=") + server_->folder() +
                          "\nDB_USERNAME=writer\nDB_DATABASE=app\nDB_PASSWORD=" +
                          R"("s3cret \"a'b\\c=@/é%")" + "\n");
  // A socket may be the container's own, unless the options say that `.env` counts.
  ASSERT_TRUE(other.perform<AlembicMigrate>("observe").ok());
  EXPECT_EQ(other.processes.back().arguments.at(1), "exec");
  other.option("/database/env/host", "DB_HOST");
  other.processes.clear();
  StepResult plan = other.perform<AlembicMigrate>("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_EQ(other.changes.at(0).name, "app");
  EXPECT_EQ(std::count_if(other.processes.begin(), other.processes.end(),
                          [](const Process& one) { return one.arguments[1] == "exec"; }),
            0);
  expect_hidden(other, plan.failure);
  // Under other names, and without a database.
  other.write(".env", "PG_HOST=" + server_->folder() + "\n");
  other.option("/database/env/host", "PG_HOST");
  EXPECT_NE(other.perform<AlembicMigrate>("plan").failure.find("no database of it"),
            std::string::npos);
  // A service's name is its container.
  other.write(".env", "PG_HOST=db\nDB_DATABASE=app\n");
  const StepResult observed = other.perform<AlembicMigrate>("observe");
  ASSERT_TRUE(observed.ok()) << observed.failure;
  EXPECT_EQ(other.facts.at("revision").value, "no table alembic_version");
  EXPECT_EQ(other.processes.back().arguments.at(1), "exec");
}

TEST_F(OutsidePostgres, OfTwoDatabasesThatMayBeMeantNoneIsTaken) {
  FakeHost other;
  FakeDocker same(other, server_.get());
  same.containers = {{"db-1", "db"}};
  deploy(other);
  other.write(".env", "DB_HOST=203.0.113.7\nDB_DATABASE=app\n");
  const StepResult plan = other.perform<AlembicMigrate>("plan");
  EXPECT_NE(plan.failure.find("two databases may be meant: .env names the server 203.0.113.7, and "
                              "service db of this deployment"),
            std::string::npos)
      << plan.failure;
  other.write(".env", "DB_HOST=" + std::string(64, 'a') + ".example\nDB_DATABASE=app\n");
  EXPECT_NE(other.perform<AlembicMigrate>("plan").failure.find("cannot be looked up"),
            std::string::npos);
  // The odd port of a service's own container is nobody's business.
  other.write(".env", "DB_HOST=db\nDB_PORT=tcp://172.17.0.2:5432\nDB_DATABASE=app\n");
  EXPECT_TRUE(other.perform<AlembicMigrate>("observe").ok());
}

TEST_F(OutsidePostgres, AServerThatDiesIsSaidToHaveDied) {
  five_revisions();
  docker->before_command = [&](const Process&) { server_->stop(); };
  const StepResult run = step("run");
  docker->before_command = nullptr;
  EXPECT_NE(run.failure.find("the migration of database app ended with exit code 1"),
            std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("its revision cannot be told: "), std::string::npos) << run.failure;
  const StepResult dead = step("plan");
  EXPECT_NE(dead.failure.find("cannot connect to PostgreSQL of " + server_->folder()),
            std::string::npos)
      << dead.failure;
  EXPECT_NE(dead.failure.find("does not accept connections as user app"), std::string::npos);
  EXPECT_EQ(step("rollback").status, DRYDOCK_FAILED);
  server_->start();
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(setting(), "");
  EXPECT_TRUE(step("settle").ok());
}

// By this machine's own clients, which can copy.
TEST_F(OutsidePostgres, IsRehearsedAsWell) {
  if (::access("/usr/bin/pg_dump", X_OK) != 0) GTEST_SKIP() << "there is no pg_dump in PATH";
  five_revisions();
  ASSERT_TRUE(step("run").ok());
  host.notes.clear();
  revision("six", "'five'", "op.execute('CREATE TABLE t_six (id int)')");
  host.write("migrations/env.py", R"(
import os
from alembic import context
from sqlalchemy import create_engine
with create_engine("postgresql+psycopg2://app@/" + os.environ["DB_DATABASE"] + "?host=)" +
                                      server_->folder() + R"(").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
)");
  host.option("/mode", "rehearse");
  host.option("/environment/DB_DATABASE", "app");
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("copies").value, "none");
  const StepResult plan = fresh_plan();
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_EQ(host.changes.at(0).action, "check");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
  EXPECT_EQ(stamp(), "five\n");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_database WHERE datname LIKE '%rehearsal%'"), "0\n");
  expect_hidden(host, run.failure);
}

// A server that takes connections and never answers.
TEST_F(OutsidePostgres, AServerThatStandsStillIsNotWaitedForForEver) {
  five_revisions();
  ASSERT_TRUE(step("observe").ok());
  server_->stand_still(true);
  const StepResult stopped = step("observe");
  server_->stand_still(false);
  EXPECT_EQ(stopped.status, DRYDOCK_FAILED);
  EXPECT_NE(stopped.failure.find("cannot connect to PostgreSQL of "), std::string::npos)
      << stopped.failure;
  // In the middle of a step, with a session that it has already.
  docker->before_command = [&](const Process&) { server_->stand_still(true); };
  host.option("/command", {"true"});
  host.option("/heads_command", {"alembic", "heads"});
  host.option("/scripts", "migrations");
  const StepResult run = step("run");
  server_->stand_still(false);
  docker->before_command = nullptr;
  EXPECT_NE(host.log_text().find("the server does not answer within 3 s"), std::string::npos)
      << run.failure << host.log_text();
  EXPECT_TRUE(step("rollback").ok());
}

// The whole of it, by the options of a MariaDB.
class OutsideMariadb : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!MariadbProcess::installed()) return;
    server_ = std::make_unique<MariadbProcess>();
    server_->sql("mysql", "CREATE DATABASE app");
  }
  static void TearDownTestSuite() { server_.reset(); }
  void SetUp() override {
    if (!server_) GTEST_SKIP() << "MariaDB is not installed";
    server_->sql(
        "mysql",
        "DROP DATABASE app; CREATE DATABASE app; CREATE USER IF NOT EXISTS writer@localhost"
        " IDENTIFIED BY 's3cret \"a\\'b\\\\c=@/é%'; GRANT ALL ON app.* TO writer@localhost");
    host.on_process([this](const Process& process) {
      if (before_command) before_command();
      return execute(process, -1);
    });
    deploy(host);
    host.secret("/database/url", url(std::string("writer:") + encoded_password));
  }
  void deploy(FakeHost& to) const {
    to.stage_id = "migrate";
    to.option("/command", {"sh", "migrate.sh"});
    to.option("/scripts", "migrations/versions");
    to.secret("/secret_environment/MYSQL_PWD", password);
    to.write("migrations/versions/one.py", "revision = 'one'\ndown_revision = None\n");
    to.write("migrations/versions/two.py", "revision = 'two'\ndown_revision = 'one'\n");
    to.write("migrate.sh", "exec mariadb --no-defaults --user=writer --socket=" +
                               server_->socket() + " app < migration.sql\n");
    to.write("migration.sql",
             "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32));"
             "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('two')");
  }
  static std::string url(const std::string& account) {
    return "mysql+pymysql://" + account + "@/app?unix_socket=" + server_->socket();
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  std::string sql(const std::string& statements) const { return server_->sql("app", statements); }

  inline static std::unique_ptr<MariadbProcess> server_;
  FakeHost host;
  std::function<void()> before_command;
};

TEST_F(OutsideMariadb, MigratesWithoutAnyClient) {
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
  for (const Process& process : host.processes) EXPECT_EQ(process.arguments[0], "sh");
  EXPECT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.back().action, "keep");
  expect_hidden(host, "");
}

TEST_F(OutsideMariadb, OfTwoMigratorsTheSecondIsRefusedAndAKilledOneIsEnded) {
  FakeHost second;
  second.run_real_processes();
  deploy(second);
  second.secret("/database/url", url(std::string("writer:") + encoded_password));
  before_command = [&] { host.die(); };
  ASSERT_TRUE(step("run").died);
  before_command = nullptr;
  const StepResult refused = second.perform<AlembicMigrate>("run");
  EXPECT_NE(refused.failure.find("another migrator is at work on database app: its lock is held by "
                                 "connection "),
            std::string::npos)
      << refused.failure;
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql("SELECT IS_USED_LOCK(CONCAT('drydock-', MD5('app')))"), "NULL\n");
  EXPECT_TRUE(second.perform<AlembicMigrate>("run").ok());
}

TEST_F(OutsideMariadb, AUserWhoLacksAPrivilegeIsRefusedBefore) {
  host.write("migrations/versions/two.py",
             "from alembic import op\nrevision = 'two'\ndown_revision = 'one'\n"
             "def upgrade():\n    op.create_index('ix', 'note', ['id'])\n");
  sql("CREATE TABLE note (id int); CREATE USER reader@localhost IDENTIFIED BY 's3cret';"
      "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER ON `app`.* TO reader@localhost");
  host.secret("/database/url", url("reader:s3cret"));
  for (const char* name : {"plan", "run"}) {
    const StepResult refused = step(name);
    EXPECT_NE(refused.failure.find("user reader lacks what pending revisions need in database app"),
              std::string::npos)
        << refused.failure;
    EXPECT_NE(refused.failure.find(": INDEX; GRANT INDEX ON `app`.* TO it"), std::string::npos);
  }
  sql("GRANT INDEX ON `app`.* TO reader@localhost");
  EXPECT_TRUE(step("plan").ok());
  EXPECT_NE(host.changes.back().detail.find("on note ("), std::string::npos)
      << host.changes.back().detail;
  sql("DROP USER reader@localhost");
}

TEST_F(OutsideMariadb, AUserWhoMayNotLimitLockWaitsIsToldSo) {
  host.option("/lock_timeout", 2000);
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(host.log_text().find("`lock_timeout` cannot be set: "), std::string::npos)
      << host.log_text();
  EXPECT_NE(host.log_text().find("lock_wait_timeout=86400"), std::string::npos);
  EXPECT_TRUE(step("run").ok());
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(OutsideMariadb, AWrongPasswordIsNoReasonToWait) {
  host.secret("/database/url", url("writer:s3cret-but-wrong"));
  const StepResult refused = step("plan");
  EXPECT_NE(refused.failure.find("Access denied for user 'writer'@'localhost'"), std::string::npos)
      << refused.failure;
  expect_hidden(host, refused.failure);
}

}  // namespace
