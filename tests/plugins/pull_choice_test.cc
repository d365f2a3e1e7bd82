// What pull decides, from values alone; the names of images; what registries' refusals become.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "digests.h"
#include "image_archive.h"
#include "image_choice.h"
#include "image_reference.h"
#include "kept_images.h"
#include "registry_refusal.h"

namespace drydock::pull {
namespace {

using compose::Image;
using Names = std::set<std::string>;

template <class T>
T one_of(std::vector<T> values) {
  return *rc::gen::elementOf(values);
}
bool maybe() { return *rc::gen::arbitrary<bool>(); }

// A few references and ids, so that all that can meet does.
Question any_question() {
  const std::vector<std::string> references = {"app:1", "app:2", "db:15", "db@sha256:d"};
  const std::vector<std::string> ids = {"sha256:1", "sha256:2", "sha256:3"};
  Question question;
  for (const std::string& reference : references) {
    if (maybe()) question.wanted[reference] = {{"service of " + reference}, ""};
    if (maybe()) question.old.insert(reference);
    if (maybe()) question.present[reference] = {one_of(ids), "linux/amd64", {}};
    if (question.old.count(reference) != 0 && maybe()) {
      question.running[reference].insert(one_of(ids));
      if (maybe()) question.running[reference].insert(one_of(ids));
    }
    if (maybe()) question.archives[listed_name(reference)] = {"a.tar", one_of(ids)};
  }
  for (const std::string& id : ids) {
    if (maybe()) question.present[id] = {id, "linux/amd64", {}};
  }
  question.all = maybe();
  question.changed = maybe();
  if (maybe()) question.services.insert("service of app:1");
  return question;
}

RC_GTEST_PROP(ImageChoice, LeavesWhatIsUnchangedAsItRuns, ()) {
  Question question = any_question();
  question.all = false;
  question.services.clear();
  question.from_archives = maybe();
  std::map<std::string, Choice> choices;
  try {
    choices = choose_images(question);
  } catch (const BadOptions&) {
    RC_DISCARD("an archive lacks an image");
  }
  for (const auto& [reference, choice] : choices) {
    const Names running = question.running[reference];
    if (running.size() != 1 || question.present.count(*running.begin()) == 0) continue;
    if (!can_be_moved(reference)) continue;
    RC_ASSERT(choice.source == Source::here || choice.source == Source::running);
    RC_ASSERT(choice.id == *running.begin());
    RC_ASSERT((choice.source == Source::here) == (choice.before == choice.id));
  }
}

RC_GTEST_PROP(ImageChoice, AsksARegistryOnlyForWhatItMust, ()) {
  const Question question = any_question();
  for (const auto& [reference, choice] : choose_images(question)) {
    const bool there = question.present.count(reference) != 0;
    const bool left_out =
        !question.services.empty() && question.services.count("service of " + reference) == 0;
    if (choice.source == Source::registry) {
      RC_ASSERT(!left_out);
      RC_ASSERT(!there || can_be_moved(reference));
      RC_ASSERT(!there || question.all || !question.services.empty() ||
                (question.changed && question.old.count(reference) == 0));
    } else if (choice.source == Source::nowhere) {
      RC_ASSERT(left_out);
    } else {
      RC_ASSERT(choice.id.size() > 0u);
    }
  }
}

RC_GTEST_PROP(ImageChoice, AsksNoRegistryWhereArchivesAreGiven, ()) {
  Question question = any_question();
  question.from_archives = true;
  try {
    for (const auto& [reference, choice] : choose_images(question)) {
      RC_ASSERT(choice.source != Source::registry);
      if (choice.source == Source::archive) RC_ASSERT(choice.before != choice.id);
    }
  } catch (const BadOptions& refused) {
    RC_ASSERT(std::string(refused.what()).find("none of the archives") != std::string::npos);
  }
}

RC_GTEST_PROP(ImageChoice, TakesNothingButTheGivenDigest, ()) {
  Question question = any_question();
  const std::string digest = "sha256:given";
  question.wanted["app:1"] = {{"service of app:1"}, ""};
  question.digests["app:1"] = digest;
  if (maybe()) question.present["app:1"].digests = {"app@" + digest};
  if (maybe()) question.present["app@" + digest] = {"sha256:of-given", "linux/amd64", {}};
  const Choice choice = choose_images(question).at("app:1");
  RC_ASSERT(choice.digest == digest);
  const auto now = question.present.find("app:1");
  const bool is_it = now != question.present.end() && now->second.is(digest);
  RC_ASSERT(is_it == (choice.source == Source::here));
  RC_ASSERT(is_it || choice.source == Source::digest);
}

TEST(ImageChoice, TellsWhatIsOldFromWhatRuns) {
  compose::Container api;
  api.service = "api";
  api.image = "app:1";
  compose::Model before;
  before.services["api"].image = "app:2";  // edited since
  before.services["db"].image = "db:15";   // without a container
  EXPECT_EQ(old_references({api}, before), (Names{"app:1", "db:15"}));
}

TEST(ImageChoice, LeavesBuiltImagesAlone) {
  compose::Model model;
  model.services["api"].image = model.services["worker"].image = "app:2";
  model.services["built"].image = "own";
  model.services["built"].built = true;
  model.services["local"].image = "own:1";
  model.services["local"].never_pulled = true;
  const auto wanted = wanted_images(model);
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted.at("app:2").names(), "api, worker");
}

TEST(ImageChoice, KnowsWhichMachinesRunWhat) {
  EXPECT_TRUE(runs_on("linux/amd64", "linux/amd64"));
  EXPECT_TRUE(runs_on("linux/386", "linux/amd64"));
  EXPECT_TRUE(runs_on("linux/", "linux/amd64")) << "an import says nothing of itself";
  EXPECT_FALSE(runs_on("linux/arm64", "linux/amd64"));
  EXPECT_FALSE(runs_on("linux/amd64", "linux/arm64"));
}

TEST(ImageReference, IsTakenApartAsDockerDoes) {
  EXPECT_EQ(registry_of("postgres:15"), "docker.io");
  EXPECT_EQ(registry_of("langgenius/dify-api:1.14.1"), "docker.io");
  EXPECT_EQ(registry_of("ghcr.io/a/b:1"), "ghcr.io");
  EXPECT_EQ(registry_of("localhost/a"), "localhost");
  EXPECT_EQ(registry_of("registry:5000/a@sha256:x"), "registry:5000");
  EXPECT_EQ(repository_of("127.0.0.1:5000/a/b"), "127.0.0.1:5000/a/b");
  EXPECT_EQ(repository_of("127.0.0.1:5000/a/b:1@sha256:x"), "127.0.0.1:5000/a/b");
  EXPECT_EQ(listed_name("docker.io/library/redis"), "redis:latest");
  EXPECT_EQ(listed_name("docker.io/a/b:1"), "a/b:1");
  EXPECT_EQ(listed_name("library/redis:7"), "redis:7");
  EXPECT_EQ(listed_name("ghcr.io/library/redis:7"), "ghcr.io/library/redis:7");
  EXPECT_EQ(listed_name("docker.io/a@sha256:x"), "a@sha256:x");
  EXPECT_EQ(listed_name("sha256:x"), "sha256:x");
}

TEST(Image, IsKnownByItsOwnRegistrysDigest) {
  const Image image{"sha256:id", "linux/amd64", {"mirror/redis@sha256:m", "redis@sha256:r"}};
  EXPECT_TRUE(image.is("sha256:m") && image.is("sha256:r") && image.is("sha256:id"));
  EXPECT_FALSE(image.is("sha256:other"));
  EXPECT_EQ(image.digest("docker.io/library/redis"), "sha256:r");
  EXPECT_EQ(image.pullable("elsewhere"), "mirror/redis@sha256:m");
  EXPECT_EQ((Image{"sha256:id", "", {}}).digest("redis"), "sha256:id");
}

TEST(ImageArchive, ReadsManifestsOfOldAndNewEngines) {
  const std::string a(64, 'a'), b(64, 'b');
  const auto images =
      parse_archive(R"([{"Config":")" + a + R"(.json","RepoTags":["redis:7","x/y:1"]},)" +
                        R"({"Config":"blobs/sha256/)" + b + R"(","RepoTags":["docker.io/p/q"]},)" +
                        R"({"Config":")" + b + R"(.json","RepoTags":null}])",
                    "f.tar");
  EXPECT_EQ(images, (std::map<std::string, std::string>{{"redis:7", "sha256:" + a},
                                                        {"x/y:1", "sha256:" + a},
                                                        {"p/q:latest", "sha256:" + b}}));
  for (const char* broken : {"", "{", "[1]", R"([{"Config":1,"RepoTags":[]}])"}) {
    EXPECT_THROW(parse_archive(broken, "f.tar"), Failed) << broken;
  }
}

RC_GTEST_PROP(KeptImages, AreReadAsTheyWereWritten, ()) {
  std::vector<KeptImage> images;
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    const std::string n = std::to_string(i);
    images.push_back({"sha256:" + n, "drydock/keep:" + n, maybe() ? "a@sha256:" + n : ""});
  }
  const auto read = from_lines(to_lines(images));
  RC_ASSERT(read.size() == images.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    RC_ASSERT(read[i].id == images[i].id && read[i].tag == images[i].tag);
    RC_ASSERT(read[i].pullable == images[i].pullable);
  }
}

// As Docker 20.10 to 28 say it.
TEST(RegistryRefusal, SaysWhatTheRegistryAnsweredAndWhatToDo) {
  const std::vector<std::array<const char*, 2>> known = {
      {"Error response from daemon: toomanyrequests: You have reached your pull rate limit.",
       "Docker Hub gives no more for now (429, too many requests); log in"},
      {"Error response from daemon: received unexpected HTTP status: 503 Service Unavailable",
       "Docker Hub answered 503 Service Unavailable; the fault is the registry's"},
      {"Error response from daemon: pull access denied for a/b, repository does not exist or may "
       "require 'docker login': denied: requested access to the resource is denied",
       "Docker Hub denies it: it does not exist there, or this login may not read it"},
      {"Error response from daemon: manifest for a/b:1 not found: manifest unknown: manifest "
       "unknown",
       "Docker Hub does not have it; does that release exist"},
      {"no matching manifest for linux/amd64 in the manifest list entries",
       "Docker Hub has it, but not for this engine's platform"},
      {"failed to register layer: write /usr/lib/x: no space left on device",
       "the engine has no room for it; free disk space"},
      {"Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup "
       "registry-1.docker.io on 10.0.0.1:53: no such host",
       "the engine finds no way to Docker Hub"},
      {"Error response from daemon: Get \"https://registry-1.docker.io/v2/\": net/http: request "
       "canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
       "Docker Hub does not answer in time"},
      {"Error response from daemon: Get \"https://x/v2/\": http: server gave HTTP response to "
       "HTTPS client",
       "Docker Hub has no TLS, which the engine demands"},
      {"Error response from daemon: Get \"https://x/v2/\": tls: failed to verify certificate: "
       "x509: "
       "certificate signed by unknown authority",
       "the engine does not trust the certificate of Docker Hub"},
      {"Error response from daemon: something new", "docker says: something new"},
      {"", "docker gave no reason"}};
  for (const auto& [said, sentence] : known) {
    const std::string text = registry_refusal("a/b:1", std::string("a/b:1: Pulling\n") + said);
    const std::string text_of_empty = registry_refusal("a/b:1", said);
    EXPECT_EQ((*said == '\0' ? text_of_empty : text).find(sentence), 0u) << text;
  }
  EXPECT_EQ(registry_refusal("r.example:5000/a:1", "x: connection refused"),
            "nothing answers at the registry r.example:5000 (connection refused); start it, or "
            "correct its address (docker: x: connection refused)");
}

}  // namespace
}  // namespace drydock::pull
