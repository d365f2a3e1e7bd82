// pull against scripted answers of docker: what it keeps, and how the old images come back.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "compose_images.h"
#include "pull_stage.h"
#include "scripted_engine.h"

namespace drydock::testing {
namespace {

using Names = std::set<std::string>;

using Prepare = std::function<void(FakeHost&, Engine&)>;

// One `run` that `arm` lets die, repeated or not, and a rollback by another process: every name
// that had an image has the same one again. Returns whether it died.
bool comes_back(const Prepare& prepare, const std::function<void(FakeHost&)>& arm, bool repeated) {
  FakeHost host;
  Engine engine(host);
  engine.images["sample/api:2"] = "sha256:stale";
  engine.ids.insert({"sha256:stale", "sha256:by-hand"});
  prepare(host, engine);
  const auto before = engine.images;
  arm(host);
  const bool died = host.perform<Pull>("run").died;
  EXPECT_TRUE(!repeated || host.perform<Pull>("run").ok());
  for (int twice = 0; twice < 2; ++twice) {
    const StepResult result = host.perform<Pull>("rollback");
    EXPECT_TRUE(result.ok()) << result.failure;
    for (const auto& [name, id] : before) EXPECT_EQ(engine.images[name], id) << name;
  }
  return died;
}

TEST(Pull, ComesBackWhereverItDied) {
  const std::string id = "sha256:" + std::string(64, 'c');
  const std::map<std::string, Prepare> cases = {
      {"all", [](FakeHost& host, Engine&) { host.option("/only", "all"); }},
      {"a tag that was moved",
       [](FakeHost&, Engine& engine) { engine.images["postgres:15"] = "sha256:by-hand"; }},
      {"a digest",
       [&](FakeHost& host, Engine& engine) {
         engine.ids.insert(id);
         host.option("/digests", R"({"db": ")" + id + "\"}");
       }},
      {"an archive", [&](FakeHost& host, Engine& engine) {
         host.write("app.tar", "");
         host.option("/load", {"app.tar"});
         engine.archive = R"([{"Config": "blobs/sha256/)" + id.substr(7) +
                          R"(", "RepoTags": ["postgres:15", "sample/api:2"]}])";
         engine.loaded = id;
       }}};
  for (const auto& [about, prepare] : cases) {
    SCOPED_TRACE(about);
    for (const bool repeated : {false, true}) {
      int notes = 1, commands = 1;
      const auto at_note = [&](FakeHost& host) { host.die_at_remember(notes); };
      const auto at_command = [&](FakeHost& host) { host.die_at_process(commands); };
      while (comes_back(prepare, at_note, repeated)) ++notes;
      while (comes_back(prepare, at_command, repeated)) ++commands;
      EXPECT_GT(notes, 2);
      EXPECT_GT(commands, 5);
    }
  }
}

// What something removed in spite of its tag comes back by its digest.
TEST(Pull, FetchesTheOldImageAgainForARollback) {
  FakeHost host;
  Engine engine(host);
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  engine.ids.erase("sha256:api-1");
  engine.pulled.clear();
  ASSERT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.pulled, Names{"any@digest-sha256:api-1"});
  engine.refusal = "Error response from daemon: manifest unknown\n";
  const StepResult gone = host.perform<Pull>("rollback");
  EXPECT_TRUE(has(gone.failure, "which ran before")) << gone.failure;
}

// One image that is gone for good keeps no other from its name.
TEST(Pull, GivesBackAllNamesButThoseOfImagesThatAreGone) {
  FakeHost host;
  Engine engine(host);
  engine.runs["api"] = {"sample/api:2", "sha256:api-1"};
  engine.images["sample/api:2"] = "sha256:api-1";
  host.option("/only", "all");
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  engine.ids.erase("sha256:old");
  engine.refusal = "Error response from daemon: manifest unknown\n";
  for (auto image = engine.images.begin(); image != engine.images.end();) {
    image = image->second == "sha256:old" ? engine.images.erase(image) : std::next(image);
  }
  const StepResult result = host.perform<Pull>("rollback");
  EXPECT_TRUE(has(result.failure, "any@digest-sha256:old, which ran before")) << result.failure;
  EXPECT_TRUE(has(host.log_text(), "sha256:old, which was postgres:15 before"));
  EXPECT_EQ(engine.images["sample/api:2"], "sha256:api-1");
}

TEST(Pull, FetchesAllAgainButWhatCannotBeHad) {
  FakeHost host;
  Engine engine(host);
  host.option("/only", "all");
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  engine.ids.clear();
  engine.pulled.clear();
  engine.refusal = "Error response from daemon: manifest unknown\n";
  EXPECT_FALSE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.pulled, (Names{"any@digest-sha256:api-1", "any@digest-sha256:old"}));
}

// The note of what is kept says nothing of whether it has its tag yet.
TEST(Pull, KeepsTheOldImagesWhereverItDied) {
  bool died = true;
  for (int note = 1; died; ++note) {
    FakeHost host;
    Engine engine(host);
    host.option("/only", "all");
    host.die_at_remember(note);
    died = host.perform<Pull>("run").died;
    ASSERT_TRUE(host.perform<Pull>("run").ok());
    Names kept;
    for (const auto& [name, id] : engine.images) {
      if (has(name, "drydock/keep:p.")) kept.insert(id);
    }
    EXPECT_EQ(kept, (Names{"sha256:api-1", "sha256:old"})) << "after note " << note;
  }
}

TEST(Pull, KeepsApartWhatTwoStagesOfARunKeep) {
  Names tags;
  for (const char* id : {"pull", "pull-again"}) {
    FakeHost host;
    Engine engine(host);
    host.deployment("/");  // both the same
    host.stage_id = id;
    ASSERT_TRUE(host.perform<Pull>("run").ok());
    for (const auto& [name, image] : engine.images) {
      if (has(name, "drydock/keep:p.")) tags.insert(name);
    }
  }
  EXPECT_EQ(tags.size(), 2u);
}

// A later stage that is about to start the database.
struct Starter {
  static constexpr auto name = "starter";
  static constexpr auto summary = "Holds the image of db";
  static constexpr auto options = "{}";
  static void run(Call& call) { compose::hold_images(call, {"db"}); }
};

TEST(Pull, HoldsItsImagesForLaterStagesUntilItIsRolledBack) {
  FakeHost host;
  Engine engine(host);
  host.option("/only", "all");
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  const std::string pulled = engine.images["postgres:15"];
  engine.ids.insert({pulled, "sha256:by-hand"});
  engine.images["postgres:15"] = "sha256:by-hand";
  ASSERT_TRUE(host.perform<Starter>("run").ok());
  EXPECT_EQ(engine.images["postgres:15"], pulled);
  ASSERT_TRUE(host.perform<Pull>("rollback").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old");
  ASSERT_TRUE(host.perform<Starter>("run").ok());
  EXPECT_EQ(engine.images["postgres:15"], "sha256:old");
}

TEST(Pull, LetsGoOfWhatRemovedRunsHaveKept) {
  FakeHost host;
  Engine engine(host);
  host.run_id = 7;
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  std::string own;
  for (const auto& [name, id] : engine.images) {
    if (has(name, "drydock/keep:p.")) own = name;
  }
  const std::size_t at = own.rfind("-7-");
  ASSERT_NE(at, std::string::npos) << own;
  const std::string prefix = own.substr(std::string("drydock/keep:").size(), at - 13);
  const std::string of_stage = own.substr(at + 2);  // "-STAGE-0"
  const std::filesystem::path runs =
      std::filesystem::path(host.private_dir()).parent_path().parent_path();
  // Runs are known by their folders, and those of fake hosts are in the folder of temporary files.
  std::string known;
  for (const auto& entry : std::filesystem::directory_iterator(runs)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) known = name;
  }
  engine.kept_tags = prefix + "-7" + of_stage + "\n" + prefix + "-999999" + of_stage +
                     "\nother.0123-1-0\n" +
                     (known.empty() ? "" : prefix + "-" + known + of_stage + "\n");
  engine.images["sample/api:2"] = "sha256:stale";
  engine.ids.insert("sha256:stale");
  host.notes.clear();
  ASSERT_TRUE(host.perform<Pull>("run").ok());
  Names removed;
  for (const Process& process : host.processes) {
    if (has(words(process), "docker image rm")) removed.insert(process.arguments.back());
  }
  EXPECT_EQ(removed, Names{"drydock/keep:" + prefix + "-999999" + of_stage});
}

}  // namespace
}  // namespace drydock::testing
