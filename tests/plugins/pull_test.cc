// pull and compose-stop against scripted answers of docker: the commands that they give.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "compose_engine.h"
#include "compose_images.h"
#include "compose_stop_stage.h"
#include "drydock/testing.hpp"
#include "pull_stage.h"

namespace drydock::testing {
namespace {

std::string words(const Process& process) {
  std::string result;
  for (const std::string& word : process.arguments) result += (result.empty() ? "" : " ") + word;
  return result;
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// An engine that knows images by name, one container for each of `runs`, and a registry that has an
// image for every name.
struct Engine {
  explicit Engine(FakeHost& of) : host(of) {
    host.project = "p";
    host.option("/only", "changed");
    host.on_process([this](const Process& process) { return answer(process); });
  }
  Result answer(const Process& process) {
    const auto& arguments = process.arguments;
    const std::string line = words(process);
    if (has(line, "config --format json")) return {0, model};
    if (has(line, "config --services")) return {0, "api\nworker\ndb\nown\nmailer\n"};
    if (has(line, "docker version")) return {0, "linux/amd64\n"};
    if (has(line, "docker ps")) return {0, ids_of_containers()};
    if (has(line, "docker inspect --type container")) return {0, containers()};
    if (has(line, "docker image inspect")) return inspected(process);
    if (has(line, "docker image ls")) return {0, kept_tags};
    if (has(line, "docker pull")) {
      if (dies_at == arguments.back()) host.die();
      const std::lock_guard<std::mutex> lock(mutex);
      pulled.insert(arguments.back());
      if (!refusal.empty()) return {1, "", refusal};
      images[arguments.back()] = "sha256:new-" + arguments.back();
      return {};
    }
    if (has(line, "docker tag")) images[arguments[3]] = arguments[2];
    if (has(line, "tar ")) return {0, archive};
    if (has(line, "docker load")) images["postgres:15"] = images["sample/api:2"] = loaded;
    return {};
  }
  std::string ids_of_containers() const {
    std::string result;
    for (const auto& [service, image] : runs) result += service + "\n";
    return result;
  }
  std::string containers() const {
    std::string result;
    for (const auto& [service, image] : runs) {
      result += std::string(result.empty() ? "" : ",") + R"({"Id": ")" + service +
                R"(", "State": {"Status": "running"}, "Image": ")" + image.second +
                R"(", "Config": {"Image": ")" + image.first +
                R"(", "Labels": {"com.docker.compose.service": ")" + service +
                R"(", "com.docker.compose.project.working_dir": ")" + host.deployment_dir() +
                "\"}}}";
    }
    return "[" + result + "]";
  }
  Result inspected(const Process& process) const {
    Result result;
    for (std::size_t i = 5; i < process.arguments.size(); ++i) {
      const std::string& name = process.arguments[i];
      const bool is_id = ids.count(name) != 0;
      const auto found = images.find(name);
      if (is_id || found != images.end()) {
        const std::string id = is_id ? name : found->second;
        result.out += id;
        if (process.arguments[4] != "{{.Id}}") result.out += " " + platform + " any@digest-" + id;
        result.out += "\n";
      } else {
        result.code = 1;
        result.err += "Error: No such image: " + name + "\n";
      }
    }
    return result;
  }
  FakeHost& host;
  std::string model = R"({"services": {
    "api": {"image": "sample/api:2"}, "worker": {"image": "sample/api:2"},
    "db": {"image": "postgres:15"}, "own": {"image": "own:1", "build": {"context": "."}}}})";
  // service -> reference and id
  std::map<std::string, std::pair<std::string, std::string>> runs = {
      {"db", {"postgres:15", "sha256:old"}}, {"api", {"sample/api:1", "sha256:api-1"}}};
  std::map<std::string, std::string> images = {{"postgres:15", "sha256:old"}};
  std::set<std::string> ids = {"sha256:old", "sha256:api-1"};
  std::string platform = "linux/amd64", kept_tags, archive, loaded = "sha256:loaded";
  std::mutex mutex;
  std::set<std::string> pulled;
  std::string refusal, dies_at;
};

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

TEST(ComposeEngineCommands, SayThatTheEngineDoesNotAnswer) {
  FakeHost host;
  host.project = "p";
  host.option("/services", {"api"});
  host.on_process([](const Process&) {
    return Result{1, "", "Cannot connect to the Docker daemon at unix:///x. Is it running?\n"};
  });
  const StepResult result = host.perform<ComposeStop>("observe");
  EXPECT_TRUE(has(result.failure, "the Docker engine does not answer")) << result.failure;
}

TEST(ComposeEngineCommands, SayThatVersion1WillNotDo) {
  for (const char* said : {"unknown flag: --ansi\nSee 'docker --help'.\n",
                           "docker: 'compose' is not a docker command.\nSee 'docker --help'\n",
                           "docker: unknown command: docker compose\n\nRun 'docker --help'\n"}) {
    FakeHost host;
    host.project = "p";
    host.option("/only", "changed");
    host.on_process([&](const Process& process) -> Result {
      return has(words(process), "docker compose") ? Result{1, "", said} : Result{};
    });
    const StepResult result = host.perform<Pull>("run");
    EXPECT_TRUE(has(result.failure, "(Compose v1, `docker-compose`,")) << result.failure;
  }
}

TEST(ComposeStop, HoldsTheRestartPolicyBeforeItStops) {
  FakeHost host;
  host.project = "p";
  host.option("/services", {"api"});
  host.option("/grace", 1500);
  const std::string container = R"({"Id": "1", "Name": "/p-api-1", "State": {"Status": "running"},
      "HostConfig": {"RestartPolicy": {"Name": "always"}}, "Config": {"Labels": {
      "com.docker.compose.service": "api",
      "com.docker.compose.project.working_dir": ")" +
                                host.deployment_dir() + "\"}}}";
  const std::string elsewhere =
      R"({"Id": "2", "State": {"Status": "running"}, "Config": {"Labels": {
      "com.docker.compose.service": "api", "com.docker.compose.project.working_dir": "/elsewhere"}}})";
  host.on_process([&](const Process& process) -> Result {
    if (has(words(process), "docker ps")) return {0, "1\n2\n"};
    if (has(words(process), "docker inspect")) return {0, "[" + container + "," + elsewhere + "]"};
    return {};
  });
  ASSERT_TRUE(host.perform<ComposeStop>("run").ok());
  ASSERT_EQ(host.processes.size(), 4u);
  EXPECT_EQ(words(host.processes[2]), "docker update --restart=no 1");
  EXPECT_EQ(words(host.processes[3]), "docker stop -t 2 1");
  EXPECT_TRUE(has(host.note("containers").value_or(""), "\"always\""));
  EXPECT_TRUE(has(host.perform<ComposeStop>("verify").failure, "service api runs"));
}

}  // namespace
}  // namespace drydock::testing
