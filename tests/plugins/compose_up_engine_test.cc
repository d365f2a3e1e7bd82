// compose-up on a real engine: its strategies, and what it looks at before it starts anything.
#include <algorithm>

#include "changed_files.h"
#include "compose_stop_stage.h"
#include "compose_world.h"

namespace drydock::testing {
namespace {

using std::chrono::milliseconds;

const std::string web_1 = base_1 + R"(
services:
  api: { <<: *base, command: [sleep, "10000"], healthcheck: { <<: *check, test: [CMD, "true"] } }
  web: { <<: *base, command: [sleep, "10000"], depends_on: [api] }
)";
std::string release_2_of(std::string text) {
  const std::string base = "<<: *base,";
  for (std::size_t at = text.find(base); at != std::string::npos; at = text.find(base, at + 1)) {
    text.insert(at + base.size(), " image: \"drydock-test/app:2\",");
  }
  return text;
}

void expect_ok(FakeHost& host, const std::string& step) {
  const StepResult result = host.perform<ComposeUp>(step);
  EXPECT_TRUE(result.ok()) << step << ": " << result.failure << "\n" << host.log_text();
}

bool has_word(const Process& process, const std::string& word) {
  return std::find(process.arguments.begin(), process.arguments.end(), word) !=
         process.arguments.end();
}

std::size_t running(const Application& app, const std::string& service) {
  std::size_t count = 0;
  for (const auto& [name, seen] : app.containers()) {
    if (name.find("-" + service + "-") != std::string::npos && seen.state == "running") ++count;
  }
  return count;
}

std::filesystem::path list_of(const FakeHost& host) {
  return std::filesystem::path(host.private_dir()).parent_path() / ".containers-before-1";
}

std::vector<std::string> planned(const FakeHost& host) {
  std::vector<std::string> result;
  for (const auto& change : host.changes) {
    // Without a model of before, all that goes is lost.
    if (change.action == "lose" && host.model_before.empty()) continue;
    result.push_back(change.action + " " + change.name);
  }
  return result;
}

// --- strategies ---------------------------------------------------------------------------------

TEST(ComposeUpEngine, RollingHasAlwaysOneThatRuns) {
  Application app("rolling");
  app.up(web_1);
  const auto before = app.facts();
  app.files(release_2_of(web_1));
  const auto up = app.stage("up");
  up->option("/strategy", "rolling");
  up->option("/drain/command", {"touch", "/draining"});
  expect_ok(*up, "plan");
  EXPECT_EQ(planned(*up), (std::vector<std::string>{"change api", "change web"}));
  bool drained = false;
  up->on_process([&](const Process& process) {
    drained = drained || has_word(process, "/draining");
    const bool leaves = has_word(process, "stop") || has_word(process, "rm");
    if (has_word(process, "stop")) {
      EXPECT_TRUE(drained);
    }
    Result result = execute(process, -1);
    if (leaves) {
      EXPECT_GE(running(app, "api"), 1u);
      EXPECT_GE(running(app, "web"), 1u);
    }
    return result;
  });
  expect_ok(*up, "run");
  expect_ok(*up, "verify");
  EXPECT_EQ(app.containers().size(), 2u);
  for (const auto& [name, seen] : app.containers()) EXPECT_EQ(seen.image, "drydock-test/app:2");
  up->run_real_processes();
  expect_ok(*up, "rollback");
  app.files(web_1);
  expect_ok(*up, "settle");
  EXPECT_EQ(app.facts(), before);
}

// What came up beside the old one stays away, and the old one has never stopped.
TEST(ComposeUpEngine, RollingLeavesTheOldOneWhenTheNewOneIsSick) {
  Application app("sick-beside");
  app.up(web_1);
  const auto containers = app.containers();
  std::string sick = release_2_of(web_1);
  sick.replace(sick.find("[CMD, \"true\"]"), 13, "[CMD, \"cat\", \"/no\"]");
  app.files(sick);
  const auto up = app.stage("up");
  up->option("/strategy", "rolling");
  up->option("/wait", 4000);
  const StepResult failed = up->perform<ComposeUp>("run");
  EXPECT_NE(failed.failure.find("service api is unhealthy (container sick-beside-api-2) after"),
            std::string::npos)
      << failed.failure;
  EXPECT_EQ(running(app, "api"), 2u);
  expect_ok(*up, "rollback");
  app.files(web_1);
  expect_ok(*up, "settle");
  ASSERT_EQ(app.containers().size(), containers.size());
  for (const auto& [name, seen] : app.containers()) {
    EXPECT_EQ(seen.id, containers.at(name).id) << "it went on all the time";
  }
}

// Nothing asks after its health, so it has to stay up for a while before the old one may go.
TEST(ComposeUpEngineLong, RollingProvesWhatHasNoHealthCheck) {
  Application app("unchecked");
  const std::string before =
      base_1 + "services:\n  web: { <<: *base, command: [sleep, \"9999\"] }\n";
  app.up(before);
  const std::string old = app.seen("web").id;
  app.files(base_1 + "services:\n  web: { <<: *base, command: [sh, -c, \"sleep 2; exit 3\"] }\n");
  const auto up = app.stage("up");
  up->clear_options();
  up->option("/strategy", "rolling");
  up->option("/wait", 20'000);
  const StepResult failed = up->perform<ComposeUp>("run");
  EXPECT_NE(failed.failure.find("less than 5s after it was up"), std::string::npos)
      << failed.failure;
  EXPECT_EQ(app.seen("web").id, old);
  EXPECT_EQ(app.seen("web").state, "running");
}

// `run` dies after the nth command with the word; another process puts everything back.
struct Death {
  const char* strategy;
  const char* word;
  int nth;
};
void comes_back_after(const std::vector<Death>& deaths) {
  Application app("strategy-death");
  app.up(web_1);
  const auto before = app.facts();
  for (const Death& death : deaths) {
    const auto up = app.stage("up");
    up->option("/strategy", death.strategy);
    app.files(release_2_of(web_1));
    int seen = 0;
    up->on_process([&](const Process& process) {
      const Result result = execute(process, -1);
      if (has_word(process, death.word) && ++seen == death.nth) up->die();
      return result;
    });
    EXPECT_TRUE(up->perform<ComposeUp>("run").died) << death.word;
    up->run_real_processes();
    expect_ok(*up, "rollback");
    app.files(web_1);
    expect_ok(*up, "settle");
    EXPECT_EQ(app.facts(), before) << death.strategy << " died at " << death.word << death.nth;
  }
}

TEST(ComposeUpEngine, ComesBackFromTheMiddleOfAStrategy) {
  comes_back_after({{"rolling", "stop", 1}, {"one-by-one", "up", 1}});
}

TEST(ComposeUpEngineLong, ComesBackFromAnywhereInAStrategy) {
  comes_back_after({{"rolling", "up", 1},
                    {"rolling", "rm", 1},
                    {"rolling", "up", 2},
                    {"rolling", "stop", 2},
                    {"rolling", "rm", 2},
                    {"one-by-one", "up", 2}});
}

// Nothing takes a drain command back, so the one that it ran in must not go on as if it worked.
TEST(ComposeUpEngine, RollingReplacesWhatItHasDrained) {
  Application app("drained");
  app.up(web_1);
  const auto facts = app.facts();
  const auto before = app.containers();
  app.files(release_2_of(web_1));
  const auto up = app.stage("up");
  up->option("/strategy", "rolling");
  up->option("/drain/command", {"touch", "/draining"});
  up->on_process([&](const Process& process) {
    const Result result = execute(process, -1);
    if (has_word(process, "/draining")) up->die();
    return result;
  });
  EXPECT_TRUE(up->perform<ComposeUp>("run").died);
  up->run_real_processes();
  expect_ok(*up, "rollback");
  app.files(web_1);
  expect_ok(*up, "settle");
  EXPECT_EQ(app.facts(), facts);
  EXPECT_NE(app.seen("api").id, before.at("drained-api-1").id) << "it refuses its work";
  EXPECT_EQ(app.seen("web").id, before.at("drained-web-1").id);
}

TEST(ComposeUpEngine, RollingGoesOnWhereItDied) {
  Application app("resumed");
  app.up(web_1);
  app.files(release_2_of(web_1));
  const auto up = app.stage("up");
  up->option("/strategy", "rolling");
  up->on_process([&](const Process& process) {
    const Result result = execute(process, -1);
    if (has_word(process, "stop")) up->die();
    return result;
  });
  EXPECT_TRUE(up->perform<ComposeUp>("run").died);
  up->run_real_processes();
  expect_ok(*up, "run");
  expect_ok(*up, "verify");
  EXPECT_EQ(app.containers().size(), 2u);
}

// A server that ends with exit code 0 when it is told to looks like a job that is done.
TEST(ComposeUpEngine, StartsAgainWhatComposeStopHasStopped) {
  const std::string server =
      "command: [sh, -c, \"trap 'exit 0' TERM; while :; do sleep 0.1; done\"]";
  Application app("stopped-cleanly");
  app.up(base_1 + "services:\n  db: { <<: *base, " + server +
         " }\n  web: { <<: *base, restart: \"no\", " + server + ", depends_on: [db] }\n");
  const auto facts = app.facts();
  const std::string model =
      app.command({"docker", "compose", "-p", "stopped-cleanly", "config", "--format", "json"}).out;
  for (const char* strategy : {"recreate", "one-by-one", "rolling"}) {
    const auto up = app.stage("up"), stop = app.stage("stop");
    up->option("/strategy", strategy);
    up->model_before = app.dir() + "/model.json";
    std::ofstream(up->model_before) << model;
    stop->option("/services", {"db", "web"});
    const auto before = app.containers();
    EXPECT_TRUE(stop->perform<ComposeStop>("run").ok());
    EXPECT_EQ(running(app, "db") + running(app, "web"), 0u);
    std::filesystem::copy_file(list_of(*stop), list_of(*up));  // beside both stages' folders
    expect_ok(*up, "run");
    expect_ok(*up, "verify");
    EXPECT_EQ(app.facts(), facts) << strategy;
    for (const auto& [name, seen] : app.containers()) EXPECT_EQ(seen.id, before.at(name).id);
  }
}

TEST(ComposeUpEngine, RollingIsRefusedWhereOnlyOneCanRun) {
  Application app("one-only");
  app.files(base_1 +
            "services:\n  db: { <<: *base, command: [sleep, \"9999\"], volumes: "
            "[\"./data:/data\"] }\n");
  std::filesystem::create_directory(app.dir() + "/data");
  const auto up = app.stage("up");
  up->option("/strategy", "rolling");
  expect_ok(*up, "plan");  // it has no container yet
  expect_ok(*up, "run");
  app.files(base_1 +
            "services:\n  db: { <<: *base, command: [sleep, \"9998\"], volumes: "
            "[\"./data:/data\"] }\n");
  const auto next = app.stage("up");
  next->option("/strategy", "rolling");
  const StepResult refused = next->perform<ComposeUp>("plan");
  EXPECT_EQ(refused.status, DRYDOCK_FAILED);
  EXPECT_NE(refused.failure.find("db: it alone writes to"), std::string::npos) << refused.failure;
}

// --- what changes -------------------------------------------------------------------------------

TEST(ComposeUpEngine, MakesAnewWhatHasMountedAChangedFile) {
  const std::string files = base_1 + R"(
services:
  web: { <<: *base, command: [sleep, "10000"], volumes: ["./conf:/conf:ro"] }
  api: { <<: *base, command: [sleep, "10000"] }
)";
  Application app("mounted");
  std::filesystem::create_directory(app.dir() + "/conf");
  std::ofstream(app.dir() + "/conf/one") << "1";
  app.up(files);
  const auto before = app.facts();
  const auto old = app.containers();
  const auto up = app.stage("up");
  std::filesystem::create_directory(up->planned_dir() + "/conf");
  std::ofstream(up->planned_dir() + "/conf/one") << "2";
  expect_ok(*up, "plan");
  EXPECT_EQ(planned(*up), (std::vector<std::string>{"keep api", "change web"}));
  EXPECT_NE(up->changes.at(1).detail.find("conf changes, which it has mounted"), std::string::npos);
  files::leave_changed(up->private_dir(), 1, {app.dir() + "/conf/one"});
  expect_ok(*up, "run");
  expect_ok(*up, "verify");
  EXPECT_NE(app.seen("web").id, old.at("mounted-web-1").id);
  EXPECT_EQ(app.seen("api").id, old.at("mounted-api-1").id);
  const std::string made = app.seen("web").id;
  expect_ok(*up, "run");
  EXPECT_EQ(app.seen("web").id, made) << "it has the new file by now";
  expect_ok(*up, "rollback");
  expect_ok(*up, "settle");
  EXPECT_EQ(app.facts(), before);
}

TEST(ComposeUpEngine, RetiresWhatItMayAndNothingElse) {
  const std::string files = base_1 + R"(
services:
  one: { <<: *base, command: [sleep, "10000"] }
  two: { <<: *base, command: [sleep, "10000"] }
  other: { <<: *base, command: [sleep, "10000"] }
)";
  Application app("retire");
  app.up(files);
  app.files(base_1 + R"(
services:
  one: { <<: *base, command: [sleep, "10000"] }
  other: { <<: *base, profiles: [other], command: [sleep, "10000"] }
)");
  const auto up = app.stage("up");
  expect_ok(*up, "plan");
  EXPECT_EQ(planned(*up), (std::vector<std::string>{"retire two", "keep one"}));
  up->option("/retire", {"other"});
  expect_ok(*up, "plan");
  EXPECT_EQ(planned(*up), (std::vector<std::string>{"retire other", "keep two", "keep one"}));
  expect_ok(*up, "run");
  expect_ok(*up, "verify");
  EXPECT_EQ(app.containers().count("retire-other-1"), 0u);
  EXPECT_EQ(app.seen("two").state, "running");
  up->option("/retire", {"one"});
  EXPECT_EQ(up->perform<ComposeUp>("plan").status, DRYDOCK_BAD_OPTIONS);
}

TEST(ComposeUpEngine, ARenamedServiceThatMayNotGoIsInTheWay) {
  Application app("renamed");
  app.up(release_1);
  app.files(release_2);
  const auto up = app.stage("up");
  up->option("/retire", {"nobody"});
  const StepResult refused = up->perform<ComposeUp>("plan");
  EXPECT_EQ(refused.status, DRYDOCK_FAILED);
  EXPECT_NE(refused.failure.find("service database would write to"), std::string::npos)
      << refused.failure;
  EXPECT_NE(refused.failure.find("renamed-db-1"), std::string::npos) << refused.failure;
}

TEST(ComposeUpEngine, RefusesToReplaceTheContainersOfANamesake) {
  Application theirs("namesake"), mine("namesake");
  theirs.up(web_1);
  const std::string id = theirs.seen("web").id;
  mine.files(release_2_of(web_1));
  const auto up = mine.stage("up");
  for (const char* step : {"plan", "run"}) {
    const StepResult refused = up->perform<ComposeUp>(step);
    EXPECT_EQ(refused.status, DRYDOCK_FAILED);
    EXPECT_NE(refused.failure.find("which has the same project name namesake"), std::string::npos)
        << refused.failure;
  }
  expect_ok(*up, "rollback");
  EXPECT_EQ(theirs.seen("web").id, id);
}

TEST(ComposeUpEngine, RefusesFilesThatAreInvalidWithTheNewEnv) {
  Application app("new-env");
  std::ofstream(app.dir() + "/.env") << "REPLICAS=1\n";
  app.files(base_1 +
            "services:\n  api: { <<: *base, command: [sleep, \"10000\"], deploy: "
            "{ replicas: $REPLICAS } }\n");
  const auto up = app.stage("up");
  expect_ok(*up, "plan");
  std::ofstream(up->planned_dir() + "/.env") << "REPLICAS=many\n";
  const StepResult refused = up->perform<ComposeUp>("plan");
  EXPECT_EQ(refused.status, DRYDOCK_FAILED);
  EXPECT_NE(refused.failure.find("cannot resolve the compose files"), std::string::npos)
      << refused.failure;
}

// --- the way back -------------------------------------------------------------------------------

// Somebody has put the new files in place by hand, before the run.
TEST(ComposeUpEngine, ComesBackByTheSnapshotAndSaysSoWithoutOne) {
  Application app("by-hand");
  app.up(web_1);
  const auto before = app.facts();
  app.files(release_2_of(web_1));
  const auto up = app.stage("up");
  const Result model =
      app.command({"docker", "compose", "-p", "by-hand", "config", "--format", "json"});
  up->model_before = app.dir() + "/model.json";
  std::ofstream(up->model_before) << model.out;
  expect_ok(*up, "plan");
  EXPECT_EQ(planned(*up),
            (std::vector<std::string>{"change api", "change web", "lose api", "lose web"}));
  std::ofstream(up->snapshot_dir() + "/compose.yaml") << web_1;
  expect_ok(*up, "plan");
  EXPECT_EQ(planned(*up), (std::vector<std::string>{"change api", "change web"}));
  expect_ok(*up, "run");
  expect_ok(*up, "rollback");
  expect_ok(*up, "settle");
  EXPECT_EQ(app.facts(), before);
}

TEST(ComposeUpEngineLong, NoticesWhoeverRunsComposeInTheMiddle) {
  Application app("meddled");
  app.up(web_1);
  const auto before = app.facts();
  const std::string old = app.dir() + "/old.yaml";
  std::ofstream(old) << web_1;
  app.files(release_2_of(web_1));
  const auto by_hand = [&] {
    app.command({"docker", "compose", "-p", "meddled", "-f", old, "up", "-d", "web"});
  };
  const auto up = app.stage("up");
  expect_ok(*up, "run");
  by_hand();
  const StepResult seen = up->perform<ComposeUp>("verify");
  EXPECT_NE(seen.failure.find("is something else changing them"), std::string::npos)
      << seen.failure;
  // And while it proves that all stays up.
  const auto again = app.stage("again");
  again->option("/healthy_for", 20'000);
  int looks = 0;  // since all of it was up
  again->on_process([&](const Process& process) {
    const Result result = execute(process, -1);
    const auto says = [&](const char* text) { return result.out.find(text) != std::string::npos; };
    if (has_word(process, "inspect") && (looks > 0 || (says("app:2") && says("\"healthy\"")))) {
      if (++looks == 4) by_hand();
    }
    return result;
  });
  const StepResult replaced = again->perform<ComposeUp>("run");
  EXPECT_NE(replaced.failure.find("was replaced, and not by Drydock"), std::string::npos)
      << replaced.failure << again->log_text();
  again->run_real_processes();
  for (FakeHost* host : {again.get(), up.get()}) expect_ok(*host, "rollback");
  app.files(web_1);
  expect_ok(*up, "settle");
  EXPECT_EQ(app.facts(), before);
}

}  // namespace
}  // namespace drydock::testing
