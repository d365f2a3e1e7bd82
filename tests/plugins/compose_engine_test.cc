// compose-stop and compose-up on a real engine: an upgrade, its way back, and what goes wrong.
#include "compose_stop_stage.h"
#include "compose_world.h"

namespace drydock::testing {
namespace {

// compose-stop [web, api, cron], compose-up {services: [database]}, compose-up: as a pipeline has
// them.
struct Stages {
  explicit Stages(const Application& app)
      : stop(app.stage("stop")), data(app.stage("data")), up(app.stage("up")) {
    stop->option("/services", {"web", "api", "cron"});
    data->option("/services", {"database"});
  }
  // The private folders of the stages of one run are beside each other; those of fake hosts are
  // not.
  void share_what_the_first_left() const {
    const auto beside = [](const FakeHost& host) {
      return std::filesystem::path(host.private_dir()).parent_path() / ".containers-before-1";
    };
    for (const auto* later : {&data, &up}) {
      std::filesystem::copy_file(beside(*stop), beside(**later));
    }
  }
  void settle() const {
    const StepResult first = stop->perform<ComposeStop>("settle");
    EXPECT_TRUE(first.ok()) << first.failure << stop->log_text();
    const StepResult second = data->perform<ComposeUp>("settle");
    EXPECT_TRUE(second.ok()) << second.failure << data->log_text();
    const StepResult third = up->perform<ComposeUp>("settle");
    EXPECT_TRUE(third.ok()) << third.failure << up->log_text();
  }
  void roll_back() const {
    const StepResult first = up->perform<ComposeUp>("rollback");
    EXPECT_TRUE(first.ok()) << first.failure;
    const StepResult second = data->perform<ComposeUp>("rollback");
    EXPECT_TRUE(second.ok()) << second.failure;
  }
  std::unique_ptr<FakeHost> stop, data, up;
};

template <class Stage>
void expect_ok(FakeHost& host, const std::string& step) {
  const StepResult result = host.perform<Stage>(step);
  EXPECT_TRUE(result.ok()) << step << ": " << result.failure << "\n" << host.log_text();
}

TEST(ComposeEngine, UpgradesAndComesBackToWhatRan) {
  Application app("upgrade");
  app.up(release_1);
  const auto before = app.facts();
  ASSERT_EQ(before.at("service db running"), "1");
  const std::string old_cron = app.seen("cron").id;

  Stages stages(app);
  app.files(release_2);
  expect_ok<ComposeStop>(*stages.stop, "plan");
  EXPECT_EQ(stages.stop->changes.size(), 3u);
  expect_ok<ComposeStop>(*stages.stop, "run");
  stages.share_what_the_first_left();
  expect_ok<ComposeStop>(*stages.stop, "verify");
  EXPECT_EQ(app.seen("api").state, "exited");
  EXPECT_EQ(app.seen("api").policy, "no");
  EXPECT_EQ(app.seen("db").state, "running");

  expect_ok<ComposeUp>(*stages.data, "run");
  expect_ok<ComposeUp>(*stages.data, "verify");
  EXPECT_EQ(app.containers().count(app.name_of("db")), 0u) << "db left the files";
  EXPECT_EQ(app.seen("database").state, "running");
  EXPECT_EQ(app.seen("api").state, "exited") << "outside of the scope";

  expect_ok<ComposeUp>(*stages.up, "run");
  expect_ok<ComposeUp>(*stages.up, "verify");
  EXPECT_EQ(app.seen("api").image, "drydock-test/app:2");
  EXPECT_EQ(app.seen("cron").id, old_cron) << "unchanged, so not made anew";
  EXPECT_EQ(app.seen("cron").policy, "always") << "the held restart policy is let go";

  stages.roll_back();
  EXPECT_EQ(app.containers().count(app.name_of("database")), 0u);
  EXPECT_NE(app.seen("cron").state, "running") << "up started it, so it stops until settle";
  app.files(release_1);
  stages.settle();
  EXPECT_EQ(app.facts(), before);
  const auto settled = app.containers();

  stages.settle();
  ASSERT_EQ(app.containers().size(), settled.size());
  for (const auto& [name, seen] : app.containers()) {
    EXPECT_EQ(seen.id, settled.at(name).id) << "a second settling has nothing to do: " << name;
  }
}

TEST(ComposeEngine, SettlesWithoutChangingAnythingThatCameThrough) {
  Application app("stopped");
  app.up(release_1);
  const auto before = app.facts();
  const auto containers = app.containers();
  const auto stop = app.stage("stop");
  stop->option("/services", {"web", "api", "not-yet-there"});
  expect_ok<ComposeStop>(*stop, "run");
  expect_ok<ComposeStop>(*stop, "settle");
  EXPECT_EQ(app.facts(), before);
  for (const auto& [name, seen] : app.containers()) {
    EXPECT_EQ(seen.id, containers.at(name).id) << name;
    EXPECT_EQ(seen.policy, containers.at(name).policy) << name;
  }
}

// `run` dies right after one of its commands, or in the middle of `docker compose up`; another
// process puts everything back from the notes.
TEST(ComposeEngine, ComesBackWhereverItDied) {
  Application app("death");
  app.up(release_1);
  const auto before = app.facts();
  struct Death {
    const char* command;
    std::chrono::milliseconds after;
  };
  for (const Death& death :
       {Death{"stop", {}}, Death{"rm", {}}, Death{"up", std::chrono::milliseconds(400)},
        Death{"up", std::chrono::milliseconds(1500)}, Death{"up", {}}}) {
    const auto up = app.stage("up");
    app.files(release_2);
    bool dying = true;
    up->on_process([&](const Process& process) {
      const auto& words = process.arguments;
      const bool here =
          dying && std::find(words.begin(), words.end(), death.command) != words.end();
      Process limited = process;
      if (here) limited.timeout = death.after;
      const Result result = execute(limited, -1);
      if (here) {
        dying = false;
        up->die();
      }
      return result;
    });
    EXPECT_TRUE(up->perform<ComposeUp>("run").died) << death.command;
    expect_ok<ComposeUp>(*up, "rollback");
    expect_ok<ComposeUp>(*up, "rollback");
    app.files(release_1);
    expect_ok<ComposeUp>(*up, "settle");
    EXPECT_EQ(app.facts(), before)
        << "died at " << death.command << " after " << death.after.count() << " ms";
  }
}

TEST(ComposeEngine, NamesTheServiceThatDoesNotComeUpAndShowsItsLog) {
  Application app("sick");
  app.up(release_1);
  const auto up = app.stage("up");
  std::string sick = release_2;
  const std::string healthy = "command: [sleep, \"10000\"]";
  sick.replace(sick.find(healthy), healthy.size(),
               "command: [sh, -c, \"echo no such table; exit 3\"]");
  app.files(sick);
  up->option("/wait", 15'000);
  const StepResult failed = up->perform<ComposeUp>("run");
  EXPECT_EQ(failed.status, DRYDOCK_FAILED);
  EXPECT_NE(failed.failure.find("service api keeps restarting (code 3)"), std::string::npos)
      << failed.failure;
  EXPECT_NE(failed.failure.find("no such table"), std::string::npos) << failed.failure;
  EXPECT_NE(up->log_text().find("api | no such table"), std::string::npos);
}

TEST(ComposeEngine, NoticesAServiceThatDoesNotStayUp) {
  Application app("flaky");
  const auto up = app.stage("up");
  app.files(base_1 + "services:\n  api: { <<: *base, command: [sh, -c, \"sleep 2; exit 1\"] }\n");
  up->option("/healthy_for", 10'000);
  const StepResult failed = up->perform<ComposeUp>("run");
  EXPECT_NE(failed.failure.find("less than 10s after it was up"), std::string::npos)
      << failed.failure;
}

TEST(ComposeEngine, LeavesAProjectOfTheSameNameInAnotherFolderAlone) {
  Application theirs("docker"), mine("docker");
  theirs.up(base_1 + "services:\n  other: { <<: *base, command: [sleep, \"10000\"] }\n");
  mine.up(base_1 + "services:\n  old: { <<: *base, command: [sleep, \"10000\"] }\n");
  mine.files(base_1 + "services:\n  new: { <<: *base, command: [sleep, \"10000\"] }\n");
  std::ofstream(mine.dir() + "/.env") << "COMPOSE_REMOVE_ORPHANS=1\n";
  const auto up = mine.stage("up");
  expect_ok<ComposeUp>(*up, "plan");
  ASSERT_EQ(up->changes.size(), 3u);
  EXPECT_EQ(up->changes[0].action + " " + up->changes[0].name, "retire old");
  EXPECT_EQ(up->changes[1].action + " " + up->changes[1].name, "start new");
  EXPECT_EQ(up->changes[2].action + " " + up->changes[2].name, "lose old") << "no model of before";
  expect_ok<ComposeUp>(*up, "run");
  EXPECT_EQ(mine.containers().size(), 1u);
  EXPECT_EQ(theirs.seen("other").state, "running");
  expect_ok<ComposeUp>(*up, "rollback");
  EXPECT_EQ(theirs.seen("other").state, "running");
}

TEST(ComposeEngine, RefusesAMountThatAnotherContainerWritesTo) {
  Application app("held");
  const std::string one = base_1 +
                          "services:\n  database:\n    <<: *base\n    command: [sleep, \"10000\"]\n"
                          "    volumes: [\"./data:/data\"]\n";
  app.files(one);
  std::filesystem::create_directory(app.dir() + "/data");
  const Result holder =
      app.command({"docker", "run", "-d", "--rm", "--network", "none", "--name", "holder", "-v",
                   app.dir() + "/data:/x", "drydock-test/app:1", "sleep", "10000"});
  ASSERT_EQ(holder.code, 0) << holder.err;
  const auto up = app.stage("up");
  for (const char* step : {"plan", "run"}) {
    const StepResult refused = up->perform<ComposeUp>(step);
    EXPECT_EQ(refused.status, DRYDOCK_FAILED) << step;
    EXPECT_NE(refused.failure.find("container holder"), std::string::npos) << refused.failure;
  }
  EXPECT_TRUE(app.containers().empty());
  up->option("/shares", {"./data"});
  expect_ok<ComposeUp>(*up, "plan");
  app.command({"docker", "rm", "-f", "holder"});
}

// The old service from the kept model: the files do not have it, and the model names an optional
// dependency that is not active, which Compose itself refuses to read back.
TEST(ComposeEngine, SettlesAServiceThatOnlyTheKeptModelHas) {
  Application app("model");
  app.up(release_1);
  const auto before = app.facts();
  const Result model =
      app.command({"docker", "compose", "-p", "model", "config", "--format", "json"});
  const auto up = app.stage("up");
  up->model_before = app.dir() + "/model.json";
  std::ofstream(up->model_before) << model.out;
  app.files(release_2);
  expect_ok<ComposeUp>(*up, "run");
  expect_ok<ComposeUp>(*up, "rollback");
  app.command({"docker", "tag", "drydock-test/app:2", "drydock-test/app:1"});
  const StepResult settled = up->perform<ComposeUp>("settle");
  EXPECT_TRUE(settled.ok()) << settled.failure << up->log_text();
  const auto after = app.facts();
  for (const char* fact : {"service db running", "service db image", "service db configuration"}) {
    EXPECT_EQ(after.count(fact) ? after.at(fact) : "nothing", before.at(fact)) << fact;
  }
}

}  // namespace
}  // namespace drydock::testing
