// pull on a real engine with a registry that can misbehave: what it brings, what it leaves alone,
// and what it says. See on-engine.sh.
#include "compose_images.h"
#include "compose_up_stage.h"
#include "compose_world.h"
#include "fake_registry.h"
#include "pull_stage.h"

namespace drydock::testing {
namespace {

using Fault = FakeRegistry::Fault;
using Names = std::vector<std::string>;

// Two services of images of the registry: `api` of a release, `db` of a floating tag. What runs
// before are images of this engine under the registry's names.
class PullEngine : public ::testing::Test {
 protected:
  PullEngine() : app("pull"), host(app.stage("pull")) {
    host->option("/only", "changed");
    tag("drydock-test/app:1", registry.name("1"));
    tag("drydock-test/app:1", registry.name("floating"));
    release("1");
  }
  ~PullEngine() override {
    for (const std::string& name :
         app.lines(out({"docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"}))) {
      const bool ours = name.find("drydock-test/") == std::string::npos;
      if (ours) app.command({"docker", "rmi", "-f", name});
    }
  }
  void release(const std::string& version) {
    app.files(
        "x-base: &base { network_mode: none, init: true, restart: always, command: [sleep, "
        "\"10000\"] }\n"
        "services:\n  api: { <<: *base, image: \"" +
        registry.name(version) + "\" }\n" + "  db: { <<: *base, image: \"" +
        registry.name("floating") + "\" }\n");
  }
  void start() {
    const Result result = app.command({"docker", "compose", "-p", "pull", "up", "-d"});
    ASSERT_EQ(result.code, 0) << result.err;
    registry.requests();
  }
  // An image with what drydock-test/app:2 has, but an id of its own.
  FakeRegistry::Made push_runnable(const std::string& version) {
    const std::string file = app.dir() + "/saved.tar";
    out({"docker", "save", "-o", file, "drydock-test/app:2"});
    const std::string manifest = out({"tar", "-xOf", file, "manifest.json"});
    const auto between = [&](const std::string& begin) {
      const std::size_t at = manifest.find(begin) + begin.size();
      return manifest.substr(at, manifest.find('"', at) - at);
    };
    const std::string layer = out({"tar", "-xOf", file, between("\"Layers\":[\"")});
    const std::string config = out({"tar", "-xOf", file, between("\"Config\":\"")});
    return registry.push(version, layer, config + std::string(version.size(), '\n'));
  }
  std::string out(std::vector<std::string> command) const {
    const Result result = app.command(command);
    EXPECT_EQ(result.code, 0) << command[1] << ": " << result.err;
    return result.out;
  }
  void tag(const std::string& image, const std::string& name) const {
    out({"docker", "tag", image, name});
  }
  std::string id(const std::string& name) const {
    const Result result = app.command({"docker", "image", "inspect", "--format", "{{.Id}}", name});
    return result.code == 0 ? app.lines(result.out).at(0) : "";
  }
  void expect_ok(const std::string& step) {
    const StepResult result = host->perform<Pull>(step);
    EXPECT_TRUE(result.ok()) << step << ": " << result.failure << "\n" << host->log_text();
  }
  // compose-up of the same run: it finds what the pull has left in its private folder.
  std::unique_ptr<FakeHost> up_after_pull() const {
    auto up = app.stage("up");
    const auto left = [](const FakeHost& of) {
      return std::filesystem::path(of.private_dir()) / ".images-1";
    };
    std::filesystem::copy_file(left(*host), left(*up));
    return up;
  }

  FakeRegistry registry;
  Application app;
  std::unique_ptr<FakeHost> host;
};

TEST_F(PullEngine, BringsWhatChangesAndAsksForNothingElse) {
  const FakeRegistry::Made new_api = push_runnable("2");
  registry.make("floating", "newer");
  start();
  const std::string floating = id(registry.name("floating"));
  expect_ok("plan");
  EXPECT_TRUE(host->changes.empty());
  expect_ok("run");
  EXPECT_EQ(registry.requests(), Names{}) << "nothing has changed";

  release("2");
  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(id(registry.name("2")), new_api.id);
  EXPECT_EQ(id(registry.name("floating")), floating);
  for (const std::string& request : registry.requests()) {
    EXPECT_EQ(request.find("floating"), std::string::npos) << request;
  }
  const std::string digests = host->outputs.at("digests").value;
  EXPECT_NE(digests.find("\"api\":\"" + new_api.digest + "\""), std::string::npos) << digests;

  const auto up = up_after_pull();
  ASSERT_TRUE(up->perform<ComposeUp>("run").ok());
  EXPECT_EQ(app.seen("api").image, registry.name("2"));
}

TEST_F(PullEngine, SaysWhichImageAndWhichRegistryAndWhatToDo) {
  registry.make("2", "two");
  start();
  release("2");
  const auto before = app.containers();
  const std::map<Fault, std::string> sentences = {
      {Fault::too_many, "gives no more for now (429, too many requests); log in"},
      {Fault::too_many_plain, "gives no more for now (429, too many requests); log in"},
      {Fault::broken, "answered 500 "},
      {Fault::no_manifest, "does not have it; does that release exist"},
      {Fault::sign_in_page, "does not speak as a registry"},
      {Fault::denied, "denies it: "},
      {Fault::wants_login, "wants to know who asks; log in"},
      {Fault::no_blobs, "not all of the parts; push the image again"},
      {Fault::damaged_blobs, "is not what its digest promises"},
      {Fault::truncated_blobs, "broke off in the middle"}};
  for (const auto& [fault, sentence] : sentences) {
    registry.fault(fault);
    const StepResult result = host->perform<Pull>("run");
    EXPECT_EQ(result.status, DRYDOCK_FAILED);
    EXPECT_NE(
        result.failure.find("cannot pull the image " + registry.name("2") + " of service api: "),
        std::string::npos)
        << result.failure;
    EXPECT_NE(result.failure.find(registry.host()), std::string::npos) << result.failure;
    EXPECT_NE(result.failure.find(sentence), std::string::npos)
        << sentence << " is not in: " << result.failure;
  }
  EXPECT_EQ(id(registry.name("2")), "");
  for (const auto& [name, seen] : app.containers()) EXPECT_EQ(seen.id, before.at(name).id);
  registry.fault(Fault::none);
  expect_ok("run");  // as the runner's `retry:` does
}

TEST_F(PullEngine, SaysThatNobodyAnswers) {
  start();
  release("2");
  registry.fault(Fault::slow);
  host->deadline = std::chrono::seconds(3);
  const StepResult slow = host->perform<Pull>("run");
  EXPECT_NE(slow.failure.find("the registry " + registry.host() + " has not delivered it in the "),
            std::string::npos)
      << slow.failure;
  host->deadline = std::chrono::seconds(0);
  app.files("services: { api: { image: \"127.0.0.1:1/app:1\" } }\n");
  const StepResult down = host->perform<Pull>("run");
  EXPECT_NE(down.failure.find("nothing answers at the registry 127.0.0.1:1 (connection refused)"),
            std::string::npos)
      << down.failure;
}

TEST_F(PullEngine, RefusesAnImageForAnotherMachineAndComesBack) {
  registry.make("floating", "for another machine", "riscv64");
  start();
  const std::string before = id(registry.name("floating"));
  host->option("/only", {"db"});
  const StepResult result = host->perform<Pull>("run");
  EXPECT_NE(result.failure.find("is made for linux/riscv64, and this engine is linux/"),
            std::string::npos)
      << result.failure;
  expect_ok("rollback");
  EXPECT_EQ(id(registry.name("floating")), before);
}

TEST_F(PullEngine, AcceptsExactlyTheGivenDigest) {
  const FakeRegistry::Made verified = registry.make("2", "verified");
  registry.make("2", "pushed since");
  tag("drydock-test/app:2", registry.name("2"));
  start();
  release("2");
  const std::string unknown = "sha256:" + std::string(64, '0');
  host->option("/digests", "{\"api\": \"" + unknown + "\"}");
  host->may_fetch = true;
  for (const char* step : {"plan", "run"}) {
    const StepResult refused = host->perform<Pull>(step);
    EXPECT_EQ(refused.status, DRYDOCK_FAILED);
    EXPECT_NE(refused.failure.find("/app@" + unknown + " of service api: the registry " +
                                   registry.host() + " does not have it"),
              std::string::npos)
        << refused.failure;
    EXPECT_EQ(id(registry.name("2")), id("drydock-test/app:2")) << "the tag is as before";
  }
  host->option("/digests", "{\"api\": \"" + verified.digest + "\"}");
  registry.fault(Fault::other_manifest);
  const StepResult mismatch = host->perform<Pull>("run");
  EXPECT_NE(mismatch.failure.find("is not what its digest promises"), std::string::npos)
      << mismatch.failure;
  EXPECT_EQ(id(registry.name("2")), id("drydock-test/app:2"));
  registry.fault(Fault::none);
  expect_ok("plan");
  EXPECT_EQ(id(registry.name("2")), id("drydock-test/app:2")) << "a plan moves no tag";
  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(id(registry.name("2")), verified.id);
  expect_ok("rollback");
  EXPECT_EQ(id(registry.name("2")), id("drydock-test/app:2"));
  // An image that came from no registry is known by its id.
  host->option("/digests", "{\"api\": \"" + id("drydock-test/app:2") + "\"}");
  registry.requests();
  expect_ok("run");
  EXPECT_EQ(registry.requests(), Names{});
}

// Somebody pulls the floating tag by hand: before the run, and between the pull and the start.
TEST_F(PullEngine, StartsTheFloatingTagAsItRuns) {
  start();
  const std::string running = id("drydock-test/app:1"), other = id("drydock-test/app:2");
  const std::string container = app.seen("db").id;
  tag("drydock-test/app:2", registry.name("floating"));
  expect_ok("plan");
  ASSERT_EQ(host->changes.size(), 1u);
  const auto up_plan = app.stage("up");
  std::filesystem::copy_file(host->planning_dir() + "/images", up_plan->planning_dir() + "/images");
  ASSERT_TRUE(up_plan->perform<ComposeUp>("plan").ok());
  for (const auto& change : up_plan->changes) {
    EXPECT_EQ(change.action, "keep")
        << "the tag will name what runs by then, and not " << change.detail;
  }

  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(id(registry.name("floating")), running);
  const auto up = up_after_pull();
  tag("drydock-test/app:2", registry.name("floating"));
  ASSERT_TRUE(up->perform<ComposeUp>("run").ok());
  EXPECT_NE(up->log_text().find("was moved since"), std::string::npos) << up->log_text();
  EXPECT_EQ(app.seen("db").id, container) << "not made anew";
  EXPECT_EQ(registry.requests(), Names{});
  expect_ok("rollback");
  EXPECT_EQ(id(registry.name("floating")), other) << "what its operator had pulled";
}

TEST_F(PullEngine, GivesTheTagBackToWhatRunsWhereItIsGone) {
  start();
  const std::string container = app.seen("db").id;
  out({"docker", "rmi", registry.name("floating")});
  expect_ok("run");
  EXPECT_EQ(id(registry.name("floating")), id("drydock-test/app:1"));
  const auto up = up_after_pull();
  ASSERT_TRUE(up->perform<ComposeUp>("run").ok());
  EXPECT_EQ(app.seen("db").id, container);
}

// What a rollback needs survives `docker image prune`, and `prune --all` as far as the registry
// still has it.
TEST_F(PullEngine, KeepsWhatRanBefore) {
  const FakeRegistry::Made old = push_runnable("floating");
  out({"docker", "pull", registry.name("floating")});
  start();
  push_runnable("2");
  release("2");
  registry.push("floating", "", "");  // the tag means something else by now
  expect_ok("run");
  app.files(
      "services: { api: { image: \"" + registry.name("2") +
      "\", network_mode: none, init: true, restart: always, command: [sleep, \"10000\"] } }\n");
  expect_ok("run");  // db leaves with that release
  const auto up = up_after_pull();
  ASSERT_TRUE(up->perform<ComposeUp>("run").ok());
  out({"docker", "rmi", registry.name("floating")});
  out({"docker", "image", "prune", "-f"});
  EXPECT_EQ(id(old.id), old.id) << "only our tag holds it";
  out({"docker", "image", "rm", "-f", old.id});
  EXPECT_EQ(id(old.id), "");
  expect_ok("rollback");
  EXPECT_EQ(id(old.id), old.id) << "fetched again by its digest";
  EXPECT_NE(host->log_text().find("fetching it again"), std::string::npos);
}

TEST_F(PullEngine, LoadsArchivesWithoutARegistry) {
  start();
  release("2");
  tag("drydock-test/app:2", registry.name("2"));
  const std::string before = id(registry.name("floating")), two = id(registry.name("2"));
  tag("drydock-test/app:2", registry.name("floating"));
  std::filesystem::create_directory(app.dir() + "/images");
  const std::string file = app.dir() + "/images/app.tar";
  out({"docker", "save", "-o", file, registry.name("2"), registry.name("floating")});
  out({"docker", "rmi", registry.name("2")});
  tag(before, registry.name("floating"));
  host->option("/load", {"images/*"});
  registry.fault(Fault::broken);
  for (const bool compressed : {false, true}) {
    if (compressed) out({"gzip", file});
    expect_ok("plan");
    EXPECT_EQ(id(registry.name("2")), "") << "a plan loads nothing";
    expect_ok("run");
    expect_ok("verify");
    EXPECT_EQ(id(registry.name("2")), two);
    EXPECT_EQ(id(registry.name("floating")), before)
        << "the archive has it, too; it stays as it runs";
    expect_ok("rollback");
    EXPECT_EQ(id(registry.name("floating")), before);
    out({"docker", "rmi", registry.name("2")});
    host->notes.clear();
  }
  EXPECT_EQ(registry.requests(), Names{});
  std::ofstream(app.dir() + "/images/other.tar") << "no archive";
  EXPECT_NE(host->perform<Pull>("plan").failure.find("other.tar has no manifest.json"),
            std::string::npos);
}

}  // namespace
}  // namespace drydock::testing
