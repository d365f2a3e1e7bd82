// `mode: rehearse` with a real PostgreSQL and a real Alembic: what becomes of the copy, of the
// database itself, and of what was measured.
#include "alembic_postgres_world.h"
#include "rehearsal_record.h"

using namespace drydock::testing;
using drydock::Process;

namespace {

class AlembicRehearsal : public AlembicOnPostgres {
 protected:
  void SetUp() override {
    AlembicOnPostgres::SetUp();
    if (IsSkipped()) return;
    five_revisions();
    ASSERT_TRUE(step("run").ok());
    sql("INSERT INTO t_one SELECT * FROM generate_series(1, 1000); CREATE TABLE note AS SELECT 1 "
        "AS "
        "id");
    host.notes.clear();
    revision("six", "'five'", "op.execute('CREATE TABLE t_six (id int)')");
    host.option("/mode", "rehearse");
    host.option("/environment/DB_DATABASE", "app");
    goes_to("os.environ['DB_DATABASE']");
  }
  // Where the application connects to.
  void goes_to(const std::string& database, const std::string& more = "") const {
    host.write("migrations/env.py", R"(
import os, sys
from alembic import context
from sqlalchemy import create_engine
engine = create_engine("postgresql+psycopg2://app@/" + )" +
                                        database + R"( + "?host=)" + server_->folder() + more +
                                        R"(")
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
)");
  }
  // Everything in the database itself, and what the whole server has.
  std::string production() const {
    Process dump;
    dump.arguments = {"pg_dump", "--username", "app", "app"};
    std::string text = server_->client(dump).out;
    // "\\restrict KEY" has another key each time.
    for (std::size_t at = text.find("restrict "); at != std::string::npos;
         at = text.find("restrict ", at + 1)) {
      text.erase(at, text.find('\n', at) - at);
    }
    return text + databases();
  }
  std::string databases() const { return sql("SELECT datname FROM pg_database ORDER BY 1"); }
  std::string plan_detail(const std::string& mode) {
    host.option("/mode", mode);
    const StepResult plan = fresh_plan();
    EXPECT_TRUE(plan.ok()) << plan.failure;
    return host.changes.at(0).action + ": " + host.changes.at(0).detail;
  }
};

TEST_F(AlembicRehearsal, MigratesACopyAndTellsTheNextPlanHowLongItTook) {
  EXPECT_EQ(plan_detail("run").find("rehearsed"), std::string::npos);
  EXPECT_EQ(
      plan_detail("rehearse").rfind("check: on a copy, which is dropped again; 1 revision", 0), 0u)
      << plan_detail("rehearse");
  ASSERT_TRUE(step("observe").ok());
  const auto before = host.facts;
  const std::string data = production();
  std::string during;
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "head") during = databases();
  };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_NE(during.find("app_rehearsal_"), std::string::npos) << during;
  const StepResult verify = step("verify");
  EXPECT_TRUE(verify.ok()) << verify.failure;
  EXPECT_EQ(production(), data);
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts, before);
  const std::string found = host.outputs.at("rehearsal").value;
  EXPECT_EQ(found.rfind("database app: the migration five -> six took ", 0), 0u) << found;
  EXPECT_NE(found.find("; all 6 tables have as many rows as before"), std::string::npos) << found;
  const std::string next = plan_detail("run");
  EXPECT_NE(next.find("; rehearsed " + drydock::alembic::today() + " in "), std::string::npos)
      << next;
  // Of other revisions nothing was measured.
  revision("seven", "'six'", "pass");
  EXPECT_EQ(plan_detail("run").find("rehearsed"), std::string::npos);
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(AlembicRehearsal, NothingPendingIsNothingRehearsed) {
  std::filesystem::remove(host.deployment_dir() + "/migrations/versions/six.py");
  EXPECT_EQ(plan_detail("rehearse").rfind("keep: nothing to rehearse", 0), 0u);
  bool migrated = false;
  docker->before_command = [&](const Process&) { migrated = true; };
  ASSERT_TRUE(step("run").ok());
  EXPECT_TRUE(step("verify").ok());
  EXPECT_FALSE(migrated);
}

TEST_F(AlembicRehearsal, AFailingMigrationFailsHereAndNotInTheDatabase) {
  revision("six", "'five'",
           "op.execute('DROP TABLE t_one')\n    raise RuntimeError('no room for it')");
  const std::string data = production();
  const StepResult run = step("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("and database app is as it was: "), std::string::npos) << run.failure;
  EXPECT_NE(run.failure.find("no room for it"), std::string::npos) << run.failure;
  EXPECT_EQ(production(), data);
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_EQ(plan_detail("run").find("rehearsed"), std::string::npos);
}

TEST_F(AlembicRehearsal, TellsWhatTheMigrationMakesOfTheRows) {
  revision("six", "'five'",
           "op.execute('DELETE FROM t_one WHERE id > 990')\n    op.execute('DROP TABLE note')");
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(host.outputs.at("row_differences").value,
            "note: gone, before 1 row, t_one: 990 rows, before 1000");
  EXPECT_NE(host.log_text().find("note: gone"), std::string::npos);
}

TEST_F(AlembicRehearsal, AnApplicationThatGoesElsewhereIsFoundOutBeforehand) {
  goes_to("'app'");
  const std::string data = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("the migrator would not migrate the copy but the database itself, "
                             "although DB_DATABASE name the copy app_rehearsal_"),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(production(), data);
}

TEST_F(AlembicRehearsal, ACommandThatCannotBeAskedIsNotTrusted) {
  host.write("heads.sh", "alembic heads\n");
  host.option("/heads_command", {"sh", "heads.sh"});
  const std::string data = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("nothing shows beforehand that the migrator goes to the copy"),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(production(), data);
}

// One that deceives the question as well, as an entrypoint with variables of its own does: it is
// ended before it has read anything, also where its first revision would commit half way.
TEST_F(AlembicRehearsal, AMigratorThatGoesToTheDatabaseAllTheSameChangesNothingThere) {
  revision("six", "'five'",
           "op.execute('DROP TABLE note')\n"
           "    with op.get_context().autocommit_block():\n"
           "        op.execute('CREATE INDEX CONCURRENTLY ix ON t_one (id)')");
  goes_to("(os.environ['DB_DATABASE'] if 'current' in sys.argv else 'app')");
  const std::string data = production();
  const StepResult run = step("run");
  EXPECT_NE(
      run.failure.find("the migrator went to database app itself and not to the copy, whatever "
                       "its variables say (pid "),
      std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("and database app is as it was"), std::string::npos) << run.failure;
  EXPECT_EQ(production(), data);
  EXPECT_EQ(step("verify").failure, "");
}

// And one whose sessions have a name of their own.
TEST_F(AlembicRehearsal, AMigratorWithoutANameIsKnownByItsAge) {
  goes_to("(os.environ['DB_DATABASE'] if 'current' in sys.argv else 'app')",
          "&application_name=web");
  host.option("/lock_timeout", 300);
  const std::string data = production();
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("a session that was opened after the migrator's start (pid "),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(production(), data);
}

// The application reads alembic_version as before, once the migrator has come to the copy; and a
// migrator that goes on from there is stopped where it writes.
TEST_F(AlembicRehearsal, OnlyReadersGoOnOnceTheMigratorIsAtTheCopy) {
  const std::string from_the_copy =
      "import psycopg2\n    other = psycopg2.connect(host='" + server_->folder() +
      "', user='app', dbname='app')\n    c = other.cursor()\n    c.execute('";
  revision("six", "'five'",
           from_the_copy +
               "SELECT version_num FROM alembic_version')\n"
               "    assert c.fetchone() == ('five',)");
  const StepResult read = step("run");
  EXPECT_TRUE(read.ok()) << read.failure;
  host.notes.clear();
  const std::string data = production();
  revision("six", "'five'",
           from_the_copy +
               "DROP TABLE note')\n"
               "    c.execute('DELETE FROM alembic_version')\n    other.commit()");
  const StepResult written = step("run");
  EXPECT_NE(written.failure.find("the migrator went to database app itself"), std::string::npos)
      << written.failure;
  EXPECT_EQ(production(), data);
}

TEST_F(AlembicRehearsal, GivesWayToAnApplicationThatReadsTheTable) {
  // A start of the application that takes longer than anybody may be kept waiting.
  goes_to(
      "(__import__('time').sleep('current' not in sys.argv and 3), "
      "os.environ['DB_DATABASE'])[1]");
  host.option("/lock_timeout", 300);
  Session application(*server_, "web");
  application.tell("SELECT 1");
  await("the application is there", [&] {
    return sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'web'") == "1\n";
  });
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "head") application.tell("SELECT * FROM alembic_version");
  };
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("the application waits for alembic_version of database app (pid "),
            std::string::npos)
      << run.failure;
  EXPECT_EQ(sql("SELECT state FROM pg_stat_activity WHERE application_name = 'web'"), "idle\n");
}

TEST_F(AlembicRehearsal, PartitionsThatAJobMakesAreNoChangeOfTheDatabase) {
  sql("CREATE TABLE event (id int PRIMARY KEY) PARTITION BY RANGE (id);"
      "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (1) TO (10)");
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "head") {
      sql("CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (10) TO (20);"
          "DROP TABLE event_1");
    }
  };
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
}

TEST_F(AlembicRehearsal, ARepeatedRunComparesWithTheFirst) {
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "head") sql("ALTER TABLE note ADD COLUMN stray int");
  };
  EXPECT_NE(step("run").failure.find("its structure is another than before"), std::string::npos);
  docker->before_command = nullptr;
  EXPECT_NE(step("run").failure.find("its structure is another than before"), std::string::npos);
}

// A template cannot be dropped.
TEST_F(AlembicRehearsal, ACopyThatCannotBeDroppedIsNamedAndGoneWithTheNextRehearsal) {
  std::string copy;
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() != "head" || !copy.empty()) return;
    copy = databases().substr(databases().find("app_rehearsal_"));
    copy = copy.substr(0, copy.find('\n'));
    sql("ALTER DATABASE " + copy + " IS_TEMPLATE true");
  };
  revision("six", "'five'", "raise RuntimeError('no room for it')");
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("no room for it"), std::string::npos) << run.failure;
  EXPECT_NE(run.failure.find("left to the rollback: the copy " + copy +
                             " of a rehearsal is not dropped ("),
            std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("the statement: DROP DATABASE \"" + copy + "\""), std::string::npos);
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("copies").value, copy);
  EXPECT_NE(step("rollback").failure.find("DROP DATABASE"), std::string::npos);
  // That run is over, and what it left stands in nobody's way.
  host.notes.clear();
  host.run_id = 2;
  revision("six", "'five'", "op.execute('CREATE TABLE t_six (id int)')");
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("copies").value, "none");
  EXPECT_TRUE(step("run").ok());
  EXPECT_NE(host.log_text().find("the copy " + copy + " of a rehearsal is not dropped"),
            std::string::npos);
  EXPECT_TRUE(step("verify").ok());
  sql("ALTER DATABASE " + copy + " IS_TEMPLATE false");
  host.notes.clear();
  EXPECT_TRUE(step("run").ok());
  EXPECT_EQ(databases().find("rehearsal"), std::string::npos) << databases();
}

TEST_F(AlembicRehearsal, ADatabaseMayHaveAnyName) {
  const std::string name = R"(it's "the" \ app ü with a name of 50 or more bytes)";
  const std::string quoted = "\"it's \"\"the\"\" \\ app ü with a name of 50 or more bytes\"";
  sql("CREATE DATABASE " + quoted + " TEMPLATE app");
  host.option("/database/name", name);
  host.option("/environment/DB_DATABASE", name);
  host.write("migrations/env.py", R"(
import os
from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
engine = create_engine(URL.create("postgresql+psycopg2", username="app",
                                  database=os.environ["DB_DATABASE"], query={"host": ")" +
                                      server_->folder() + R"("}))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
)");
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  // The dump of one that was killed is ended under its own name.
  docker->instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "pg_restore") return std::nullopt;
    server_->kill_clients(true);
    host.die();
  };
  ASSERT_TRUE(step("run").died);
  docker->instead = nullptr;
  server_->kill_clients(false);
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(databases().find("rehearsal"), std::string::npos);
  sql("DROP DATABASE " + quoted);
}

TEST_F(AlembicRehearsal, TheCopyHasOwnerSettingsAndPrivilegesOfTheDatabase) {
  sql("CREATE ROLE clerk LOGIN; ALTER DATABASE app SET work_mem = '7MB';"
      "ALTER ROLE clerk IN DATABASE app SET lock_timeout = '3s';"
      "REVOKE ALL ON DATABASE app FROM PUBLIC; GRANT CONNECT ON DATABASE app TO clerk;"
      "CREATE SCHEMA other; CREATE TABLE other.thing AS SELECT 7 AS id;"
      "GRANT SELECT ON other.thing TO clerk");
  const std::string about =
      "SELECT datacl::text, pg_get_userbyid(datdba), (SELECT string_agg(setconfig::text, ' ' ORDER "
      "BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE "
      "datname = current_database(); SELECT relacl::text FROM pg_class WHERE relname = 'thing'";
  std::string of_copy, label;
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() != "head") return;
    std::string name = databases();
    name = name.substr(name.find("app_rehearsal_"));
    name = name.substr(0, name.find('\n'));
    of_copy = server_->sql(name, about);
    label = server_->sql(name,
                         "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE "
                         "datname = current_database()");
  };
  const StepResult run = step("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(of_copy, sql(about));
  EXPECT_NE(of_copy.find("work_mem=7MB"), std::string::npos) << of_copy;
  EXPECT_EQ(label, host.run_label + "\n");
  sql("REVOKE ALL ON DATABASE app FROM clerk; GRANT CONNECT ON DATABASE app TO PUBLIC;"
      "ALTER DATABASE app RESET ALL; ALTER ROLE clerk IN DATABASE app RESET ALL;"
      "DROP SCHEMA other CASCADE; DROP ROLE clerk");
}

TEST_F(AlembicRehearsal, WithoutRoomNothingIsCopied) {
  docker->instead = [](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "df") return std::nullopt;
    return Result{0,
                  "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
                  "overlay 4000000 3999000 1000 100% /\n"};
  };
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("has 1000 KiB free"), std::string::npos) << run.failure;
  EXPECT_TRUE(host.note("copy").value_or("").empty());
}

// The restore ends before the dump does; and the other way round.
TEST_F(AlembicRehearsal, ACopyThatBreaksOffIsGoneAndSaysWhy) {
  for (const char* tool : {"pg_restore", "pg_dump"}) {
    const std::string data = production();
    docker->instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
      if (words[0] != tool) return std::nullopt;
      return Result{1, "", std::string(tool) + ": error: the disk is full\n"};
    };
    const StepResult run = step("run");
    EXPECT_NE(run.failure.find("the disk is full"), std::string::npos) << run.failure;
    docker->instead = nullptr;
    EXPECT_EQ(production(), data);
  }
}

TEST_F(AlembicRehearsal, CancelledItLeavesTheCopyToTheRollback) {
  const std::string data = production();
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "head") host.cancel();
  };
  EXPECT_EQ(step("run").status, DRYDOCK_CANCELLED);
  EXPECT_NE(databases().find("app_rehearsal_"), std::string::npos);
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(production(), data);
}

// Killed wherever a note has just become durable, and at some of the commands.
TEST_F(AlembicRehearsal, KilledAnywhereItLeavesNothingAfterARollback) {
  const std::string data = production();
  ASSERT_TRUE(step("run").ok());
  std::vector<int> commands;
  for (std::size_t i = 0; i < host.processes.size(); ++i) {
    const std::vector<std::string>& words = host.processes[i].arguments;
    const bool of_the_pipe = std::any_of(words.begin(), words.end(), [](const std::string& word) {
      return word == "pg_dump" || word == "pg_restore";  // they die in a test of their own
    });
    if (!of_the_pipe && i % 9 == 0) commands.push_back(static_cast<int>(i) + 1);
  }
  ASSERT_GT(commands.size(), 2u);
  // Else the idle sessions would wait for a worker that is not quite dead.
  host.on_death([&] { server_->kill_clients(true); });
  const auto comes_back = [&](const std::string& how) {
    server_->kill_clients(false);
    const StepResult rollback = step("rollback");
    EXPECT_TRUE(rollback.ok()) << how << ": " << rollback.failure;
    EXPECT_TRUE(step("settle").ok()) << how;
    EXPECT_EQ(production(), data) << how;
    host.notes.clear();
  };
  for (int n = 1;; ++n) {
    host.notes.clear();
    host.die_at_remember(n);
    if (!step("run").died) break;
    comes_back("at note " + std::to_string(n));
  }
  for (const int n : commands) {
    host.die_at_process(n);
    // How many there are depends on how often the revision is looked at.
    if (!step("run").died) break;
    comes_back("at command " + std::to_string(n));
  }
}

TEST_F(AlembicRehearsal, KilledWhileItCopiesItLeavesNothingAfterARollback) {
  const std::string data = production();
  docker->instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    if (words[0] != "pg_restore") return std::nullopt;
    server_->kill_clients(true);
    host.die();
  };
  ASSERT_TRUE(step("run").died);
  docker->instead = nullptr;
  server_->kill_clients(false);
  EXPECT_NE(databases().find("app_rehearsal_"), std::string::npos);
  const StepResult rollback = step("rollback");
  EXPECT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(production(), data);
}

TEST_F(AlembicRehearsal, ARepeatedRunBeginsAnew) {
  host.on_death([&] { server_->kill_clients(true); });
  docker->before_command = [&](const Process& process) {
    if (process.arguments.back() == "head") host.die();
  };
  ASSERT_TRUE(step("run").died);
  server_->kill_clients(false);
  docker->before_command = nullptr;
  const StepResult run = step("run");
  EXPECT_TRUE(run.ok()) << run.failure;
  EXPECT_TRUE(step("verify").ok());
  EXPECT_EQ(databases().find("rehearsal"), std::string::npos);
}

}  // namespace
