// alembic-migrate with a real PostgreSQL and a real Alembic: locks that are not free, what a failed
// or killed migration leaves, and the ways back.
#include "alembic_postgres_world.h"

using namespace drydock::testing;
using drydock::Process;

namespace {

class AlembicLocks : public AlembicOnPostgres {
 protected:
  void SetUp() override {
    AlembicOnPostgres::SetUp();
    if (IsSkipped()) return;
    sql("ALTER ROLE app IN DATABASE app RESET lock_timeout");
    host.option("/lock_timeout", 200);
  }
  // At revision two of five, with a third one that needs t_one for itself.
  void wait_for_t_one() {
    five_revisions("op.execute('ALTER TABLE t_one ADD COLUMN x int')");
    host.option("/command", {"alembic", "upgrade", "two"});
    const StepResult run = step("run");
    ASSERT_TRUE(run.ok()) << run.failure;
    host.notes.clear();
    host.option("/command", {"alembic", "upgrade", "head"});
  }
  std::unique_ptr<Session> reader_of_t_one() {
    auto session = std::make_unique<Session>(*server_, "report");
    session->tell("BEGIN; SELECT * FROM t_one");
    await("the reader", [&] {
      return sql("SELECT count(*) FROM pg_stat_activity a JOIN pg_locks USING (pid)"
                 " WHERE application_name = 'report' AND a.state = 'idle in transaction'"
                 " AND relation = 't_one'::regclass") == "1\n";
    });
    return session;
  }
  void note(const std::string& key, const std::string& value) {
    std::erase_if(host.notes, [&](const Note& one) { return one.key == key; });
    host.notes.push_back({key, value});
  }
  std::string note(const std::string& key) const {
    for (const Note& one : host.notes) {
      if (one.key == key) return one.value;
    }
    return "";
  }
  std::string setting() const {
    return sql("SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole <> 0");
  }
};

TEST_F(AlembicLocks, TheLimitReachesTheApplicationAndIsPutBack) {
  five_revisions(
      "op.execute(\"CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS value\")");
  sql("ALTER ROLE app IN DATABASE app SET lock_timeout = '7s'");
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("lock_timeout").value, "lock_timeout=7s");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(sql("SELECT value FROM seen"), "200ms\n");
  EXPECT_EQ(setting(), "lock_timeout=7s\n");
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(AlembicLocks, TheRoleIsThatWhichHasMigratedSoFar) {
  const auto limit = [&] {
    EXPECT_TRUE(step("observe").ok());
    return host.facts.at("lock_timeout").value;
  };
  sql("ALTER ROLE app IN DATABASE app SET lock_timeout = '7s'");
  EXPECT_EQ(limit(), "lock_timeout=7s");
  sql("CREATE ROLE writer LOGIN; CREATE TABLE alembic_version (version_num text);"
      "ALTER TABLE alembic_version OWNER TO writer;"
      "ALTER ROLE writer IN DATABASE app SET lock_timeout = '9s'");
  EXPECT_EQ(limit(), "lock_timeout=9s");
  host.option("/database/role", "app");
  EXPECT_EQ(limit(), "lock_timeout=7s");
  sql("DROP TABLE alembic_version; DROP ROLE writer");
}

// Before anything is noted, which a rollback would trip over as well.
TEST_F(AlembicLocks, ARoleThatIsNotThereOrNotOursIsRefused) {
  five_revisions();
  const auto refused = [&](const std::string& said) {
    for (const StepResult& result : {fresh_plan(), step("run")}) {
      EXPECT_EQ(result.status, DRYDOCK_FAILED);
      EXPECT_NE(result.failure.find(said), std::string::npos) << result.failure;
    }
    EXPECT_EQ(note("lock_timeout"), "");
    EXPECT_TRUE(step("rollback").ok());
    EXPECT_TRUE(step("settle").ok());
  };
  host.option("/database/role", "ap");
  refused("there is no role ap in PostgreSQL of service db");
  sql("CREATE ROLE writer LOGIN; CREATE ROLE reader LOGIN");
  host.option("/database/role", "writer");
  host.option("/database/user", "reader");
  refused("user reader of PostgreSQL of service db");
  sql("ALTER ROLE reader CREATEROLE");
  if (sql("SELECT current_setting('server_version_num')::int < 160000") == "f\n") {
    refused("may not set the lock_timeout of role writer");
    sql("GRANT writer TO reader WITH ADMIN OPTION");
  }
  sql("GRANT CREATE ON SCHEMA public TO writer");
  EXPECT_TRUE(fresh_plan().ok());
  host.option("/database/role", "app");  // a superuser
  refused("may not set the lock_timeout of role app");
  sql("DROP OWNED BY writer; DROP ROLE writer; DROP ROLE reader");
}

// As where the statement failed after the note, or another has put it back.
TEST_F(AlembicLocks, WhatIsAsItWasNeedsNoRightToBePutBack) {
  five_revisions();
  sql("CREATE ROLE reader LOGIN");
  host.option("/database/user", "reader");
  note("session/one", "one");
  note("lock_timeout",
       "app\x1f"
       "app\x1f");
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_EQ(note("lock_timeout"), "");
  note("lock_timeout",
       "app\x1f"
       "app\x1f"
       "7s");
  EXPECT_EQ(step("rollback").status, DRYDOCK_FAILED);
  EXPECT_EQ(step("settle").status, DRYDOCK_FAILED);
  EXPECT_NE(note("lock_timeout"), "");
  sql("ALTER ROLE app IN DATABASE app SET lock_timeout = '7s'");
  EXPECT_TRUE(step("settle").ok());
  EXPECT_EQ(note("lock_timeout"), "");
  note("lock_timeout",
       "app\x1f"
       "gone\x1f"
       "7s");
  EXPECT_TRUE(step("settle").ok());
  sql("DROP ROLE reader");
}

TEST_F(AlembicLocks, ADatabaseThatIsNotThereYetCanBeObserved) {
  host.option("/database/name", "later");
  const StepResult observe = step("observe");
  ASSERT_TRUE(observe.ok()) << observe.failure;
  EXPECT_EQ(host.facts.at("revision").value, "no table alembic_version");
  EXPECT_EQ(host.facts.at("lock_timeout").value, "none");
}

TEST_F(AlembicLocks, AMigrationThatWaitsInVainSaysForWhom) {
  wait_for_t_one();
  host.option("/lock_retries", 1);
  const auto reader = reader_of_t_one();
  const StepResult run = step("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  for (const char* said : {"its revision is still two", "waited for a lock in vain, 2 times",
                           "of user app (report), idle in transaction", "holds t_one"}) {
    EXPECT_NE(run.failure.find(said), std::string::npos) << said << " in: " << run.failure;
  }
  EXPECT_EQ(setting(), "");
}

TEST_F(AlembicLocks, TriesAgainOnlyForALock) {
  wait_for_t_one();
  host.option("/lock_retries", 3);
  auto reader = reader_of_t_one();
  int tries = 0;
  docker->before_command = [&](const drydock::Process&) {
    if (++tries == 2) reader.reset();
  };
  StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(tries, 2);
  EXPECT_TRUE(step("verify").ok());

  tries = 0;
  revision("six", "'five'", "raise RuntimeError('the disk is full')");
  run = step("run");
  EXPECT_EQ(tries, 1);
  EXPECT_NE(run.failure.find("the disk is full"), std::string::npos) << run.failure;
}

TEST_F(AlembicLocks, ALongTransactionIsNamedBeforeAndRefused) {
  wait_for_t_one();
  host.option("/long_transactions", "refuse");
  host.option("/long_after", 0);
  auto reader = reader_of_t_one();
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(host.log_text().find("(report), idle in transaction, open for "), std::string::npos)
      << host.log_text();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("would wait for transactions that are open: pid "), std::string::npos)
      << run.failure;
  EXPECT_EQ(stamp(), "two\n");
  reader.reset();
  ASSERT_TRUE(step("run").ok());
  reader = reader_of_t_one();  // which is in nobody's way when nothing is pending
  EXPECT_TRUE(step("run").ok());
}

TEST_F(AlembicLocks, AKilledRunLeavesTheSettingToTheRollback) {
  five_revisions();
  sql("ALTER ROLE app IN DATABASE app SET lock_timeout = '7s'");
  docker->before_command = [&](const drydock::Process&) {
    server_->kill_clients(true);
    host.die();
  };
  ASSERT_TRUE(step("run").died);
  server_->kill_clients(false);
  docker->before_command = nullptr;
  EXPECT_EQ(setting(), "lock_timeout=200ms\n");
  // Where the database is away meanwhile, once it is back.
  docker->containers[0].state = "exited";
  ASSERT_TRUE(step("rollback").ok());
  const StepResult settle = step("settle");
  EXPECT_NE(settle.failure.find("SET lock_timeout = '7s'"), std::string::npos) << settle.failure;
  docker->containers[0].state = "running";
  ASSERT_TRUE(step("settle").ok());
  EXPECT_EQ(setting(), "lock_timeout=7s\n");
}

TEST_F(AlembicLocks, ACancelledRunLetsTheLockGoAndLeavesTheSettingToTheRollback) {
  five_revisions();
  docker->before_command = [&](const Process&) { host.cancel(); };
  EXPECT_EQ(step("run").status, DRYDOCK_CANCELLED);
  docker->before_command = nullptr;
  EXPECT_EQ(setting(), "lock_timeout=200ms\n");
  await("the end of the lock",
        [&] { return sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0\n"; });
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(setting(), "");
}

// PostgreSQL goes on with the statement of a client that has died, and the client may live on.
TEST_F(AlembicLocks, TheRollbackEndsAMigratorThatOutlivedItsRun) {
  five_revisions(
      "with op.get_context().autocommit_block():\n"
      "        op.execute('SELECT pg_sleep(600)')");
  host.option("/lock_timeout", 0);
  std::thread migrator;
  int code = 0;
  docker->before_command = [&](const Process& process) {
    migrator = std::thread([&code, process] { code = execute(process, -1).code; });
    await("the statement", [&] {
      return sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'") ==
             "1\n";
    });
    server_->kill_clients(true);
    host.die();
  };
  ASSERT_TRUE(step("run").died);
  server_->kill_clients(false);
  const StepResult rollback = step("rollback");
  migrator.join();
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_NE(code, 0);
  EXPECT_EQ(stamp(), "two\n");
  EXPECT_NE(
      step("settle").failure.find("was at no table alembic_version before stage migrate of run 1"),
      std::string::npos)
      << step("settle").failure;
}

TEST_F(AlembicLocks, TicksOffWhatTheDatabaseHasPassed) {
  five_revisions(
      "with op.get_context().autocommit_block():\n"
      "        op.execute('SELECT pg_advisory_lock(42)')");
  Session session(*server_, "holder");
  session.tell("SELECT pg_advisory_lock(42)");
  await("the lock",
        [&] { return sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "1\n"; });
  host.option("/lock_timeout", 0);
  int polls = 0;  // by one thread: with the second one the first is told
  docker->instead = [&](const std::vector<std::string>&) -> std::optional<Result> {
    const bool waits = sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                           " AND NOT granted") == "1\n";
    if (waits && ++polls == 2) session.tell("SELECT pg_advisory_unlock(42)");
    return std::nullopt;
  };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_NE(host.log_text().find("has passed no table alembic_version -> two, 2 of 5 revisions"),
            std::string::npos)
      << host.log_text();
}

TEST_F(AlembicLocks, AnIndexThatIsNotValidFailsTheMigration) {
  five_revisions(
      "op.execute('CREATE TABLE big (id int)')\n"
      "    op.execute('INSERT INTO big VALUES (1), (1)')\n"
      "    with op.get_context().autocommit_block():\n"
      "        try:\n"
      "            op.execute('CREATE UNIQUE INDEX CONCURRENTLY big_id ON big (id)')\n"
      "        except Exception:\n"
      "            pass");
  sql("CREATE TABLE old (id int); INSERT INTO old VALUES (1), (1)");
  Process index;  // not through sql(), which expects to succeed
  index.arguments = {"psql",
                     "-U",
                     "app",
                     "-d",
                     "app",
                     "-c",
                     "CREATE UNIQUE INDEX CONCURRENTLY old_id ON old (id)"};
  ASSERT_NE(server_->client(index).code, 0);
  ASSERT_TRUE(step("run").ok());
  const StepResult verify = step("verify");
  EXPECT_NE(verify.failure.find("left INVALID indexes in database app (public.big_id)"),
            std::string::npos)
      << verify.failure;
  EXPECT_NE(host.log_text().find("index public.old_id of database app is INVALID, as it was"),
            std::string::npos);
  sql("DROP INDEX big_id");
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(AlembicLocks, RefusesStampsThatAlembicWouldTripOver) {
  five_revisions();
  const auto refused = [&](const std::string& said) {
    for (const StepResult& result : {fresh_plan(), step("run")}) {
      EXPECT_NE(result.failure.find(said), std::string::npos) << result.failure;
    }
  };
  sql("CREATE TABLE note (id int); CREATE TABLE alembic_version (version_num text)");
  refused("an empty table alembic_version beside other tables");
  sql("INSERT INTO alembic_version VALUES ('two'), ('four')");
  refused("is at two and at four at once, which comes after it");
  EXPECT_EQ(sql("SELECT count(*) FROM pg_tables WHERE tablename LIKE 't_%'"), "0\n");
  // A fresh database has no other tables.
  sql("DROP TABLE note; DELETE FROM alembic_version");
  EXPECT_TRUE(step("run").ok());
}

TEST_F(AlembicLocks, ThePlanShowsTheSqlWhenAsked) {
  wait_for_t_one();
  // What an env.py says of a migration without a connection.
  host.write("migrations/env.py",
             "from alembic import context\n"
             "context.configure(dialect_name='postgresql')\n"
             "with context.begin_transaction():\n"
             "    context.run_migrations()\n");
  host.option("/sql", true);
  ASSERT_TRUE(fresh_plan().ok());
  ASSERT_EQ(host.changes.size(), 4u);
  EXPECT_EQ(host.changes[1].detail, "on t_one (0 bytes) SQL: ALTER TABLE t_one ADD COLUMN x int;");
  EXPECT_EQ(host.changes[2].detail, "SQL: CREATE TABLE t_four (id int);");
  EXPECT_EQ(stamp(), "two\n");

  host.write("migrations/env.py", "raise RuntimeError('no settings')\n");
  ASSERT_TRUE(fresh_plan().ok());
  EXPECT_EQ(host.changes[1].detail, "on t_one (0 bytes)");
  EXPECT_NE(host.log_text().find("cannot be printed"), std::string::npos) << host.log_text();
}

TEST_F(AlembicLocks, WaitsForAnApplicationThatMigratesByItself) {
  five_revisions();
  host.option("/mode", "wait");
  host.option("/limit", 0);
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(host.changes.at(0).detail.find("; by the application itself"), std::string::npos);
  const StepResult late = step("run");
  EXPECT_NE(late.failure.find("is at no table alembic_version and not at the head five after 0 s"),
            std::string::npos)
      << late.failure;
  host.option("/limit", 120000);
  std::thread application([&] {
    Process process;
    process.arguments = {"alembic", "upgrade", "head"};
    process.directory = host.deployment_dir();
    EXPECT_EQ(execute(process, -1).code, 0);
  });
  const StepResult run = step("run");
  application.join();
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
  for (const Process& process : host.processes) EXPECT_NE(process.arguments[0], "alembic");
}

TEST_F(AlembicLocks, GoesBackByADowngradeWhenAsked) {
  wait_for_t_one();
  ASSERT_TRUE(step("run").ok());
  ASSERT_EQ(stamp(), "five\n");
  // Not asked for: what no other stage restores, a person has to.
  ASSERT_TRUE(step("rollback").ok());
  const StepResult settle = step("settle");
  EXPECT_NE(
      settle.failure.find("was at two before stage migrate of run 1 migrated it, and is at five"),
      std::string::npos)
      << settle.failure;
  EXPECT_NE(settle.failure.find(" && alembic downgrade two)`"), std::string::npos)
      << settle.failure;

  host.option("/downgrade", true);
  const StepResult rollback = step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(stamp(), "two\n") << host.log_text();
  EXPECT_EQ(sql("SELECT to_regclass('t_five') IS NULL"), "t\n");
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_TRUE(step("settle").ok());
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(AlembicLocks, ADowngradeThatFailsIsLeftToTheBackup) {
  wait_for_t_one();
  ASSERT_TRUE(step("run").ok());
  revision("four", "'three'", "pass", "raise RuntimeError('no way back')");
  host.option("/downgrade", true);
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_NE(host.log_text().find("no way back"), std::string::npos);
  EXPECT_EQ(step("settle").status, DRYDOCK_FAILED);
  sql("UPDATE alembic_version SET version_num = 'two'");  // as if it had been restored
  EXPECT_TRUE(step("settle").ok());
  host.clear_options();
  host.option("/downgrade", true);
  host.option("/command", {"./migrate"});
  EXPECT_EQ(step("plan").status, DRYDOCK_BAD_OPTIONS);
}

}  // namespace
