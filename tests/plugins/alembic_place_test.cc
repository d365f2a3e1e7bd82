// Where the migrated database is: found once, shown, and still known when everything else is
// another by then; and what a person is told where no stage has brought it back.
#include "alembic_postgres_world.h"
#include "alembic_world.h"

using namespace drydock::testing;

namespace {

class AlembicPlace : public AlembicOnPostgres {
 protected:
  void SetUp() override {
    AlembicOnPostgres::SetUp();
    if (!IsSkipped()) five_revisions();
  }
  std::string detail() const { return host.changes.at(0).detail; }
  std::string loses() {
    EXPECT_TRUE(fresh_plan().ok());
    return host.changes.at(0).rollback_loses;
  }
};

TEST_F(AlembicPlace, IsAFactAndStandsInThePlan) {
  const StepResult plan = fresh_plan();
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_NE(detail().find("; of service db"), std::string::npos) << detail();
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("database").value, "app of service db");
  EXPECT_TRUE(host.facts.at("database").must_return);
}

// By the time of the rollback `.env` may be that of the release before, or the service's old name.
TEST_F(AlembicPlace, OfTheRunCountsForWhateverComesAfterIt) {
  ASSERT_TRUE(step("run").ok());
  host.write(".env", "DB_HOST=203.0.113.7\nDB_DATABASE=other\n");
  EXPECT_TRUE(step("verify").ok());
  EXPECT_EQ(host.outputs.at("revision").value, "five");
  docker->containers = {{"db-2", "database"}};  // with the same folder of data
  EXPECT_TRUE(step("rollback").ok());
  EXPECT_NE(step("settle").failure.find("database app of service database was at no table"),
            std::string::npos);
  docker->containers = {{"db-3", "other"}};
  docker->containers[0].folder = "/srv/other";
  EXPECT_EQ(step("verify").failure.rfind("no database container of this deployment runs", 0), 0u);
}

TEST_F(AlembicPlace, AServiceThatIsTakenInsteadOfWhatEnvNamesIsSaidToBe) {
  host.write(".env", "DB_HOST=203.0.113.7\nDB_DATABASE=app\n");
  host.option("/database/service", "db");
  ASSERT_TRUE(fresh_plan().ok());
  EXPECT_NE(
      host.log_text().find(".env names the database server 203.0.113.7, and that of service db "
                           "is migrated"),
      std::string::npos)
      << host.log_text();
  // And where it does not run nothing else is taken for it.
  docker->containers.clear();
  EXPECT_NE(step("run").failure.find("no database container of this deployment runs"),
            std::string::npos);
}

TEST_F(AlembicPlace, ABackupOfAnotherServersDatabaseSavesNothing) {
  EXPECT_NE(loses(), "");
  const std::string word = host.planning_dir() + "/saved-databases";
  std::ofstream(word) << "app\tdb.example.org\n";
  EXPECT_NE(loses(), "");
  std::ofstream(word) << "app\tservice db (container db-1)\n";
  EXPECT_EQ(loses(), "");
  std::ofstream(word) << "app\t\n";  // not known yet
  EXPECT_EQ(loses(), "");
}

TEST_F(AlembicPlace, TheWayBackByHandCanBePasted) {
  revision("one", "None", "op.execute('CREATE TABLE t_one (id int)')");
  host.run_id = 12;
  ASSERT_TRUE(step("run").ok());
  sql("UPDATE alembic_version SET version_num = 'two'");
  host.notes.clear();
  ASSERT_TRUE(step("run").status == DRYDOCK_FAILED);  // t_three is there
  sql("UPDATE alembic_version SET version_num = 'five'");
  const StepResult none = step("settle");
  EXPECT_NE(
      none.failure.find("database app of service db was at two before stage migrate of run 12 "
                        "migrated it, and is at five: no stage put it back."),
      std::string::npos)
      << none.failure;
  EXPECT_NE(none.failure.find("This run has kept no backup of it; `drydock -C " +
                              host.deployment_dir() + " backups list`"),
            std::string::npos)
      << none.failure;
  EXPECT_NE(none.failure.find("`(cd " + host.deployment_dir() + " && alembic downgrade two)`"),
            std::string::npos)
      << none.failure;
  const auto manifests =
      std::filesystem::path(host.private_dir()).parent_path() / "save it/manifests";
  std::filesystem::create_directories(manifests);
  std::ofstream(manifests / "one.json") << R"({"name": "app"})";
  EXPECT_NE(step("settle").failure.find("`drydock -C " + host.deployment_dir() +
                                        " backups restore 12 --stage 'save it' --only app`"),
            std::string::npos)
      << step("settle").failure;
}

class UnreadyDatabase : public AlembicWorld {
 protected:
  void SetUp() override {
    AlembicWorld::SetUp();
    host.option("/wait", 1);
  }
};

TEST_F(UnreadyDatabase, IsRefusedWithTheStageToAdd) {
  health = "starting";
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("the database of service db is starting (container sample-db-1)"),
            std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("uses: compose-up, with: {services: [db]}"), std::string::npos)
      << run.failure;
  EXPECT_TRUE(migrated.arguments.empty());
  health = "healthy";
  EXPECT_TRUE(step("run").ok());
}

TEST_F(UnreadyDatabase, IsOneWhoseServiceTheReleaseDoesNotHave) {
  other_service = "database";
  host.option("/database/service", {"database", "db"});
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("database data still runs as service db, which the release's files do "
                             "not have"),
            std::string::npos)
      << run.failure;
  EXPECT_NE(run.failure.find("with: {services: [database]}"), std::string::npos) << run.failure;
}

}  // namespace
