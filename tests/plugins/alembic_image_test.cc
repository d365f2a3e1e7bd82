// alembic-migrate and the scripts in the new image: what its plan says of them, that the image is
// not started for them, and that nothing of that stays behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "alembic_world.h"

using namespace drydock::testing;
using Words = std::vector<std::string>;

namespace {

// A database at revision one; two more are in the image.
class InImage : public AlembicWorld {
 protected:
  void SetUp() override {
    AlembicWorld::SetUp();
    script("one", "None", "notes");
    script("two", "'one'", "authors");
    script("three", "'two'", "labels");
  }
  // A plan that no other one came before.
  StepResult fresh_plan() {
    std::filesystem::remove_all(host.planning_dir() + "/answers");
    return step("plan");
  }
  std::string detail() const { return host.changes.at(0).detail; }
};

TEST_F(InImage, ThePlanNamesWhatIsPending) {
  const drydock::testing::StepResult plan = step("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  ASSERT_EQ(host.changes.size(), 3u);
  EXPECT_EQ(host.changes[0].name, "data");
  EXPECT_EQ(host.changes[0].before, "one");
  EXPECT_EQ(host.changes[0].after, "three");
  EXPECT_EQ(detail(),
            "2 revisions of the scripts in /app/migrations (image sample/api:2 of service api)");
  EXPECT_EQ(host.changes[1].name + " " + host.changes[1].detail, "two authors");
  EXPECT_EQ(host.changes[2].name + " " + host.changes[2].detail, "three labels");
  EXPECT_TRUE(host.violations.empty());
}

// In a container that can reach and change nothing, and with no value among its arguments.
TEST_F(InImage, TheSqlComesFromAnIsolatedContainer) {
  host.option("/sql", true);
  host.option("/entrypoint", {"flask", "db", "upgrade"});
  service = R"(, "environment": {"SECRET_KEY": "hidden"})";
  drydock::Process printed;
  host.on_process([&](const drydock::Process& process) -> Result {
    if (process.arguments[1] != "run") return answer(process);
    printed = process;
    return {0,
            "CREATE TABLE alembic_version (\n  version_num VARCHAR(32)\n);\n\n"
            "-- Running upgrade one -> two\n\nALTER TABLE note\n  ADD author text;\n\n"
            "UPDATE alembic_version SET version_num='two';\n\nCOMMIT;\n"};
  });
  const StepResult plan = step("plan");
  ASSERT_TRUE(plan.ok()) << plan.failure;
  EXPECT_EQ(host.changes[1].detail, "authors SQL: ALTER TABLE note ADD author text;");
  EXPECT_EQ(host.changes[2].detail, "labels");
  EXPECT_EQ(printed.arguments, (Words{"docker", "run", "--rm", "--network", "none", "--label",
                                      "drydock.plan=" + host.deployment_dir(), "--env",
                                      "SECRET_KEY", "--workdir", "/app", "--entrypoint", "flask",
                                      "sha256:two", "db", "upgrade", "one:head", "--sql"}));
  EXPECT_TRUE(has(printed.environment, "SECRET_KEY=hidden"));
}

TEST_F(InImage, TheContainerIsNeverStartedAndRemoved) {
  ASSERT_TRUE(step("plan").ok());
  ASSERT_EQ(created.size(), 1u);
  const Words& words = created[0].arguments;
  EXPECT_TRUE(has(words, "sha256:two"));  // the id: the tag may move
  EXPECT_TRUE(has(words, "drydock.plan=" + host.deployment_dir()));
  EXPECT_EQ(removed, Words{name_of(created[0])});
  for (const drydock::Process& process : host.processes) {
    EXPECT_FALSE(has(process.arguments, "run") || has(process.arguments, "start"));
  }
}

TEST_F(InImage, IsReadOnceInAPlan) {
  ASSERT_TRUE(step("plan").ok());
  const std::size_t changes = host.changes.size();
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.size(), changes);
  EXPECT_EQ(created.size(), 1u);
  EXPECT_EQ(copied, (Words{"/app/alembic.ini", "/app/migrations", "/app/alembic"}));
  // Pulled meanwhile: another image under the same name.
  image_id = "sha256:three";
  script("four", "'three'");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.size(), changes + 1);
}

TEST_F(InImage, TheServicesWorkingDirectoryCounts) {
  service = R"(, "working_dir": "/srv")";
  image["/srv/migrations/versions/one.py"] = "revision = 'one'\ndown_revision = None";
  image["/srv/migrations/env.py"];
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.at(0).action, "keep");
  EXPECT_NE(detail().find("/srv/migrations"), std::string::npos) << detail();
}

TEST_F(InImage, SaysHonestlyWhatItDoesNotKnow) {
  image_id = "";
  EXPECT_EQ(step("plan").status, DRYDOCK_UNKNOWN);
  EXPECT_EQ(step("plan").failure, "after pull");
  EXPECT_TRUE(created.empty());

  image_id = "sha256:two";
  const std::string pending = "what is pending is not known: ";
  const auto says = [&](const std::string& reason) {
    const StepResult plan = fresh_plan();
    EXPECT_TRUE(plan.ok()) << plan.failure;
    EXPECT_EQ(host.changes.size(), 1u);
    EXPECT_NE(detail().find(pending + reason), std::string::npos) << detail();
  };
  service =
      R"(, "volumes": [{"type": "bind", "source": "/x", "target": "/app/migrations/versions"}])";
  says("the service has something mounted at /app/migrations/versions");
  service = R"(, "volumes": [{"type": "volume", "source": "x", "target": "/app"}])";
  says("the service has something mounted at /app,");
  service = R"(, "volumes_from": ["other"])";
  says("the service has something mounted at /,");
  service = R"(, "pull_policy": "always")";
  says("the service's pull_policy may bring another image");
  service = R"(, "volumes": [{"type": "bind", "source": "/x", "target": "/app/storage"}])";
  ASSERT_TRUE(fresh_plan().ok());
  EXPECT_EQ(host.changes.size(), 3u);

  image_id = "sha256:other";
  image["/app/migrations/versions/four.py"] = "revision = 'four'\ndown_revision = f()\n";
  says("/app/migrations/versions/four.py:2: `down_revision` is not set to a plain literal");
  image_id = "sha256:none";
  create = {1, "", "Error response from daemon: no space left\n"};
  says(
      "cannot create a container of the image sample/api:2: docker gave exit code 1: no space "
      "left");
}

TEST_F(InImage, RefusesADatabaseThatIsNewerThanTheImage) {
  revision = "nine";
  const StepResult plan = step("plan");
  EXPECT_EQ(plan.status, DRYDOCK_FAILED);
  EXPECT_NE(plan.failure.find("database data is at revision nine"), std::string::npos);
  EXPECT_NE(plan.failure.find("image sample/api:2 of service api"), std::string::npos);
  EXPECT_NE(plan.failure.find("whose head is three"), std::string::npos) << plan.failure;
}

TEST_F(InImage, RefusesSeveralHeadsOfWhichNoneIsChosen) {
  script("side", "'one'");
  EXPECT_NE(step("plan").failure.find("several heads (side, three)"), std::string::npos);
  host.option("/entrypoint", {"flask", "db", "upgrade"});
  EXPECT_EQ(step("plan").status, DRYDOCK_FAILED);
  host.option("/entrypoint", {"flask", "db", "upgrade", "heads"});
  EXPECT_TRUE(step("plan").ok());
  host.clear_options();
  host.option("/service", "api");
  service = R"(, "entrypoint": ["sh", "-c"], "command": ["flask db upgrade heads && true"])";
  EXPECT_TRUE(fresh_plan().ok());
  service = R"(, "entrypoint": ["sh", "-c"], "command": ["flask db upgrade && true"])";
  EXPECT_EQ(fresh_plan().status, DRYDOCK_FAILED);
}

TEST_F(InImage, TheRunReadsTheHeadsInANotedContainer) {
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(asked, 0);
  ASSERT_EQ(created.size(), 1u);
  EXPECT_TRUE(has(created[0].arguments, "drydock.run=test/1"));
  EXPECT_TRUE(host.note("container/" + name_of(created[0])));
  EXPECT_EQ(removed, Words{name_of(created[0])});
  EXPECT_TRUE(std::filesystem::is_empty(host.private_dir()));
  const StepResult verify = step("verify");
  EXPECT_NE(verify.failure.find("is at revision one, and the head of the image of service api is "
                                "three"),
            std::string::npos)
      << verify.failure;
  revision = "three";
  EXPECT_TRUE(step("verify").ok());
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(host.violations.empty());
}

TEST_F(InImage, TheRunAsksAlembicWhereTheScriptsDoNotTell) {
  image["/app/migrations/versions/four.py"] = "revision = 'four'\ndown_revision = f()\n";
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(asked, 1);
  revision = "two";
  EXPECT_TRUE(step("verify").ok());
}

// The plan may have been made before the database ran.
TEST_F(InImage, TheRunRefusesADatabaseThatIsNewerThanTheImage) {
  revision = "nine";
  const StepResult run = step("run");
  EXPECT_NE(run.failure.find("database data is at revision nine"), std::string::npos)
      << run.failure;
  EXPECT_TRUE(migrated.arguments.empty());
}

TEST_F(InImage, AnInterruptedRunLeavesNothingBehind) {
  bool dies = true;
  host.on_process([&](const drydock::Process& process) {
    if (process.arguments[1] == "cp" && dies) host.die();
    return answer(process);
  });
  ASSERT_TRUE(step("run").died);
  dies = false;
  leftover = "abc123\n";
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(ended, Words{"abc123"});
}

TEST_F(InImage, WhatAKilledPlanLeftIsReplaced) {
  create = {1, "",
            "Error response from daemon: Conflict. The container name \"/x\" is already in use\n"};
  host.on_process([&](const drydock::Process& process) {
    const Result result = answer(process);
    if (process.arguments[1] == "rm") create = {0, "abc\n"};
    return result;
  });
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.changes.size(), 3u);
  EXPECT_EQ(removed.size(), 2u);
}

TEST_F(InImage, ACancelledPlanEndsAsCancelled) {
  host.on_process([&](const drydock::Process& process) {
    if (process.arguments[1] == "cp") host.cancel();
    return answer(process);
  });
  EXPECT_EQ(step("plan").status, DRYDOCK_CANCELLED);
}

// The tag was moved after `pull` had settled which image is sample/api:2.
TEST_F(InImage, MigratesWithTheImageThatTheRunHasSettled) {
  const auto pull = std::filesystem::path(host.private_dir()).parent_path() / "pull";
  std::filesystem::create_directory(pull);
  std::ofstream(pull / (".images-" + std::to_string(host.run_id)))
      << "1\nsha256:settled sample/api:2\n";
  ASSERT_TRUE(step("run").ok());
  std::size_t tagged = 0, migrating = 0;
  for (std::size_t i = 0; i < host.processes.size(); ++i) {
    const Words& words = host.processes[i].arguments;
    if (words == Words{"docker", "tag", "sha256:settled", "sample/api:2"} && tagged == 0)
      tagged = i;
    if (words[1] == "compose" && has(words, "run")) migrating = i;
  }
  EXPECT_GT(tagged, 0u);
  EXPECT_LT(tagged, migrating);
}

TEST_F(InImage, AnEntrypointThatMayIgnoreTheCommandIsNamed) {
  script("one", "None");
  const auto warned = [&] {
    host.logs.clear();
    std::filesystem::remove_all(host.planning_dir() + "/answers");
    EXPECT_TRUE(step("plan").ok());
    return host.log_text().find("gets the migrator's `command` as arguments") != std::string::npos;
  };
  entrypoint = R"(["/entrypoint.sh"])";
  EXPECT_FALSE(warned());  // there is none: the entrypoint is what migrates
  host.option("/command", {"alembic", "upgrade", "head"});
  EXPECT_TRUE(warned());
  EXPECT_NE(host.log_text().find("the entrypoint /entrypoint.sh of image sample/api:2"),
            std::string::npos)
      << host.log_text();
  entrypoint = R"(["/usr/bin/tini", "--"])";
  EXPECT_FALSE(warned());
  entrypoint = R"(["/usr/bin/tini", "--", "/start"])";
  EXPECT_TRUE(warned());
  host.option("/entrypoint", {"alembic"});
  EXPECT_FALSE(warned());
}

}  // namespace
