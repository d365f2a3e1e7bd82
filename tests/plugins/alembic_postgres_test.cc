// alembic-migrate with a real PostgreSQL and a real Alembic: what a migration may meet there.
#include "alembic_postgres_world.h"

using namespace drydock::testing;

namespace {

class AlembicPostgres : public AlembicOnPostgres {};

TEST_F(AlembicPostgres, MigratesAndLetsTheLockGo) {
  five_revisions();
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
  EXPECT_EQ(stamp(), "five\n");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0\n");
  EXPECT_TRUE(step("run").ok());
  EXPECT_TRUE(host.violations.empty());
}

// The session that holds the lock must not be what CREATE INDEX CONCURRENTLY waits for.
TEST_F(AlembicPostgres, TheLockDoesNotStandInTheWayOfAConcurrentIndex) {
  five_revisions(
      "op.execute('CREATE TABLE big (id int)')\n"
      "    with op.get_context().autocommit_block():\n"
      "        op.execute('CREATE INDEX CONCURRENTLY big_id ON big (id)')");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(AlembicPostgres, OfTwoMigratorsTheSecondIsToldWhoIsAtWork) {
  five_revisions();
  FakeHost second;
  FakeDocker same(second, server_.get());
  same.containers = docker->containers;
  deploy(second);
  second.run_id = 7;
  StepResult refused;
  // While the first one's migrator is at work.
  docker->before_command = [&](const drydock::Process&) {
    refused = second.perform<AlembicMigrate>("run");
  };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(refused.status, DRYDOCK_FAILED);
  EXPECT_NE(refused.failure.find("another migrator is at work on database app"), std::string::npos)
      << refused.failure;
  EXPECT_NE(refused.failure.find("run 1 of " + host.deployment_dir() + " on "), std::string::npos)
      << refused.failure;
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(AlembicPostgres, AMigratorThatOutlivedItsRunKeepsOthersAway) {
  five_revisions();
  Session session(*server_, "drydock-migrate-migrate-0123abcd-4-1");
  session.tell("SELECT 1");
  await("the session", [&] {
    return sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%0123abcd%'") ==
           "1\n";
  });
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("the migrator drydock-migrate-migrate-0123abcd-4-1 of another, "
                             "interrupted run is still at work"),
            std::string::npos)
      << run.failure;
  session.end();
  EXPECT_TRUE(step("run").ok());
}

TEST_F(AlembicPostgres, AKilledRunLeavesNoLock) {
  five_revisions();
  docker->before_command = [&](const drydock::Process&) {
    server_->kill_clients(true);
    host.die();
  };
  ASSERT_TRUE(step("run").died);
  server_->kill_clients(false);
  docker->before_command = nullptr;
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_TRUE(step("run").ok());
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(AlembicPostgres, SaysWhereAFailureAtTheThirdOfFiveLeftIt) {
  five_revisions("raise RuntimeError('the disk is full')");
  StepResult run = step("run");
  EXPECT_NE(run.failure.find("the disk is full"), std::string::npos) << run.failure;
  EXPECT_NE(run.failure.find("its revision is still no table alembic_version"), std::string::npos)
      << run.failure;  // one transaction around all five
  EXPECT_EQ(step("verify").status, DRYDOCK_FAILED);
  // What comes before a block outside of the transaction is committed.
  five_revisions(
      "with op.get_context().autocommit_block():\n"
      "        op.execute('SELECT 1')\n"
      "    raise RuntimeError('the disk is full')");
  run = step("run");
  EXPECT_NE(run.failure.find("its revision went from no table alembic_version to two"),
            std::string::npos)
      << run.failure;
  EXPECT_NE(step("verify").failure.find("database app is at revision two"), std::string::npos);
}

TEST_F(AlembicPostgres, BelievesNeitherWordsNorExitCodes) {
  five_revisions("raise RuntimeError('the disk is full')");
  host.write("migrate.sh", "alembic upgrade head || true\necho Database migration successful\n");
  host.option("/command", {"sh", "migrate.sh"});
  host.option("/heads_command", {"alembic", "heads"});
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(step("verify").failure.find("the migrator did not run on this database"),
            std::string::npos)
      << step("verify").failure;
  host.write("migrate.sh", "alembic upgrade two\necho Database migration skipped\n");
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(step("verify").failure.find("is at revision two, and the head of `sh` is five"),
            std::string::npos)
      << step("verify").failure;
}

TEST_F(AlembicPostgres, AServerThatDiesInTheMiddleIsSaidToHaveDied) {
  five_revisions("op.execute('SELECT pg_sleep(600)')");
  host.option("/wait", 300);
  host.option("/lock_timeout", 5000);
  std::thread killer;
  docker->before_command = [&](const drydock::Process&) {
    killer = std::thread([this] {
      await("the third revision", [&] {
        return sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                   " AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()") == "1\n";
      });
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
  EXPECT_NE(host.log_text().find("lock_timeout is left for the rollback to put back"),
            std::string::npos);
  EXPECT_EQ(step("rollback").status, DRYDOCK_FAILED);
  server_->start();
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(sql("SELECT count(*) FROM pg_db_role_setting WHERE setrole <> 0"), "0\n");
  EXPECT_TRUE(step("settle").ok());  // one transaction, which died with the server
}

}  // namespace
