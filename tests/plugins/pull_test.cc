// pull against scripted answers of docker: what it pulls, and the commands that it gives.
#include <gtest/gtest.h>

#include "pull_stage.h"
#include "scripted_engine.h"

namespace drydock::testing {
namespace {

using Names = std::set<std::string>;

TEST(Pull, PullsOnlyWhatChangesOrIsNotThere) {
  FakeHost host;
  Engine engine(host);
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.pulled, Names{"sample/api:2"});
  EXPECT_TRUE(host.outputs.at("digests").promote);
  EXPECT_EQ(host.outputs.at("digests").value,
            R"({"api":"digest-sha256:new-sample/api:2","db":"digest-sha256:old",)"
            R"("worker":"digest-sha256:new-sample/api:2"})");
  EXPECT_TRUE(has(host.outputs.at("images").value, R"("reference":"sample/api:1")"));
  EXPECT_TRUE(host.perform<Pull>("verify").ok());
  EXPECT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images.count("sample/api:2"), 1u) << "a new image may stay";
  engine.images["sample/api:2"] = "sha256:another";
  EXPECT_TRUE(has(host.perform<Pull>("verify").failure, "sha256:another"));
}

TEST(Pull, AsksNobodyWhereNothingChanges) {
  FakeHost host;
  Engine engine(host);
  engine.runs["api"] = engine.runs["worker"] = {"sample/api:2", "sha256:api-2"};
  engine.images["sample/api:2"] = "sha256:api-2";
  engine.ids.insert("sha256:api-2");
  ASSERT_TRUE(host.perform<Pull>("plan").ok());
  EXPECT_TRUE(host.changes.empty());
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(host.processes.size(), 4u) << "the model, the containers in two, the images";
  EXPECT_TRUE(engine.pulled.empty());
  ASSERT_TRUE(host.perform<Pull>("verify").ok());
  EXPECT_EQ(host.processes.size(), 1u);
}

TEST(Pull, PullsAChangedNameAlsoWhereItIsThere) {
  FakeHost host;
  Engine engine(host);
  engine.images["sample/api:2"] = "sha256:stale";
  host.option("/only", "missing");
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_TRUE(engine.pulled.empty());
  host.option("/only", "changed");
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.pulled, Names{"sample/api:2"});
  host.option("/only", {"db"});
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.pulled, (Names{"sample/api:2", "postgres:15"}));
  host.option("/only", {"dbx"});
  EXPECT_TRUE(has(host.perform<Pull>("run").failure, "there is no active service dbx"));
}

TEST(Pull, GivesAMovedTagItsOldImageBackEvenAfterARepeatedRun) {
  FakeHost host;
  Engine engine(host);
  host.option("/only", "all");
  engine.dies_at = "postgres:15";
  EXPECT_TRUE(host.perform<Pull>("run").died);
  engine.dies_at.clear();
  engine.images["postgres:15"] = "sha256:new-postgres:15";
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:new-postgres:15");
  ASSERT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old");
  EXPECT_TRUE(host.perform<Pull>("rollback").ok());
}

// postgres:15 was pulled by hand and not started: the run goes on with what runs.
TEST(Pull, PinsWhatRuns) {
  FakeHost host;
  Engine engine(host);
  engine.images["postgres:15"] = "sha256:by-hand";
  engine.ids.insert("sha256:by-hand");
  ASSERT_TRUE(host.perform<Pull>("plan").ok());
  ASSERT_EQ(host.changes.size(), 3u);
  EXPECT_EQ(host.changes[1].name, "db");
  EXPECT_EQ(host.changes[1].before + " " + host.changes[1].after, "sha256:by-hand sha256:old");
  EXPECT_EQ(host.changes[1].detail, "postgres:15: the tag was moved; given back to what runs");
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_EQ(engine.pulled, Names{"sample/api:2"});
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old");
  Names kept;
  for (const auto& [name, id] : engine.images) {
    if (has(name, "drydock/keep:p.")) kept.insert(id);
  }
  EXPECT_EQ(kept, (Names{"sha256:api-1", "sha256:by-hand"}));
  ASSERT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:by-hand");
}

TEST(Pull, PlansWithoutMovingATag) {
  FakeHost host;
  Engine engine(host);
  host.option("/only", "all");
  ASSERT_TRUE(host.perform<Pull>("plan").ok());
  EXPECT_TRUE(engine.pulled.empty());
  host.may_fetch = true;
  ASSERT_TRUE(host.perform<Pull>("plan").ok());
  EXPECT_EQ(engine.pulled, Names{"sample/api:2"});
  ASSERT_EQ(host.changes.size(), 3u) << "api, db, worker";
  EXPECT_EQ(host.changes[0].action, "change");
  EXPECT_EQ(host.changes[0].before, "sample/api:1");
  EXPECT_EQ(host.changes[0].after, "sample/api:2");
  EXPECT_EQ(host.changes[1].action, "pull");
}

TEST(Pull, RefusesAnImageForAnotherMachine) {
  FakeHost host;
  Engine engine(host);
  engine.runs.clear();
  engine.platform = "linux/arm64";
  host.may_fetch = true;
  const StepResult refused = host.perform<Pull>("plan");
  EXPECT_TRUE(has(refused.failure, "is made for linux/arm64, and this engine is linux/amd64"))
      << refused.failure;
}

TEST(Pull, AcceptsExactlyTheGivenDigests) {
  FakeHost host;
  Engine engine(host);
  const std::string digest = "sha256:" + std::string(64, 'a');
  host.option("/digests", R"({"db": ")" + digest + R"(", "mailer": ")" + digest + "\"}");
  const StepResult refused = host.perform<Pull>("run");
  EXPECT_EQ(engine.pulled.count("postgres@" + digest), 1u);
  EXPECT_TRUE(has(refused.failure, "only " + digest + " is accepted")) << refused.failure;
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old") << "its tag was not touched";
  for (const auto& [value, complaint] : std::map<std::string, std::string>{
           {R"({"db": "latest"})", "is no digest"},
           {R"({"dbx": ")" + digest + "\"}", "no active service and no image dbx"},
           {R"({"own": ")" + digest + "\"}", "it is built here"},
           {R"({"api": ")" + digest + R"(", "worker": "sha256:)" + std::string(64, 'b') + "\"}",
            "cannot be both"},
           {"[1]", "neither a mapping nor"}}) {
    host.option("/digests", value);
    const StepResult result = host.perform<Pull>("run");
    EXPECT_EQ(result.status, DRYDOCK_BAD_OPTIONS);
    EXPECT_TRUE(has(result.failure, complaint)) << result.failure;
  }
}

TEST(Pull, TakesImagesFromArchivesAndAsksNoRegistry) {
  FakeHost host;
  Engine engine(host);
  host.write("images/app.tar", "");
  host.option("/load", {"images/*.tar"});
  const std::string hex(64, 'c');
  engine.archive = R"([{"Config": "blobs/sha256/)" + hex +
                   R"(", "RepoTags": ["postgres:15", "docker.io/sample/api:2"]}])";
  engine.loaded = "sha256:" + hex;
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  EXPECT_TRUE(engine.pulled.empty());
  EXPECT_EQ(engine.images["sample/api:2"], engine.loaded);
  ASSERT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old") << "which the archive has moved as well";
  engine.images.erase("sample/api:2");
  engine.archive = "[]";
  const StepResult refused = host.perform<Pull>("plan");
  EXPECT_EQ(refused.status, DRYDOCK_BAD_OPTIONS);
  EXPECT_TRUE(has(refused.failure, "none of the archives of `load` has the image sample/api:2"))
      << refused.failure;
  host.option("/load", {"images/none.tar"});
  EXPECT_TRUE(has(host.perform<Pull>("plan").failure, "there is no archive"));
}

TEST(Pull, SaysInOneSentenceWhyARegistryRefused) {
  FakeHost host;
  Engine engine(host);
  engine.refusal =
      "some advice\nError response from daemon: manifest for sample/api:2 not found: manifest "
      "unknown\n";
  const StepResult result = host.perform<Pull>("run");
  EXPECT_EQ(result.failure,
            "cannot pull the image sample/api:2 of service api, worker: Docker Hub does not "
            "have it; does that release exist, and is its name right? (docker: manifest for "
            "sample/api:2 not found: manifest unknown)");
}

}  // namespace
}  // namespace drydock::testing
