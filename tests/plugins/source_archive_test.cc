// The stage source on archives: proven, unpacked, switched to; and what no archive gets away with.
#include <sys/wait.h>

#include "archive.h"
#include "digest.h"
#include "loopback_server.h"
#include "source_git_world.h"

namespace drydock::source {
namespace {

namespace fs = std::filesystem;
using testing::FakeHost;

class SourceArchive : public ::testing::Test {
 protected:
  SourceArchive() {
    std::string pattern = (fs::temp_directory_path() / "drydock-archive-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = fs::canonical(pattern).string();
    host.compose_files = {host.deployment_dir() + "/compose.yaml"};
    host.write("compose.yaml", "old");
    host.write(".env", "SECRET=1\n");
    GitWorld::write(dir_ + "/app-2/docker/compose.yaml", "new");
    GitWorld::write(dir_ + "/app-2/docker/conf/app.ini", "new conf");
    GitWorld::write(dir_ + "/app-2/docker/start.sh", "#!/bin/sh", 0755);
    fs::create_symlink("conf/app.ini", dir_ + "/app-2/docker/link");
    GitWorld::write(dir_ + "/app-2/src/app.py", "print(2)");
    host.option("/strip", 1);
    host.option("/directory", "docker");
    host.run_real_processes();
    before_ = picture_of(host.deployment_dir());
  }
  ~SourceArchive() override {
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }
  bool command(std::vector<std::string> arguments) const {
    Process process;
    process.arguments = std::move(arguments);
    process.directory = dir_;
    return testing::execute(process, -1).code == 0;
  }
  // Packs what is in dir_, and makes it the release.
  void pack(const std::string& name, std::vector<std::string> options,
            std::vector<std::string> members = {"app-2"}) {
    std::vector<std::string> arguments = {"tar", "--create", "--file", name};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), members.begin(), members.end());
    ASSERT_TRUE(command(arguments));
    use(name);
  }
  void use(const std::string& name) {
    host.option("/archive", dir_ + "/" + name);
    host.option("/sha256", sha256_file(dir_ + "/" + name));
  }
  void expect_ok(const std::string& name) {
    const auto result = host.perform<Source>(name);
    ASSERT_TRUE(result.ok()) << name << ": " << result.failure;
  }
  void expect_refused(const std::string& words) {
    host.may_fetch = true;
    const auto result = host.perform<Source>("plan");
    EXPECT_EQ(result.status, DRYDOCK_FAILED);
    EXPECT_NE(result.failure.find(words), std::string::npos) << result.failure;
    EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before_));
    EXPECT_FALSE(fs::exists(dir_ + "/outside"));
  }
  FakeHost host;
  std::string dir_;
  std::map<std::string, std::string> before_;
};

TEST_F(SourceArchive, GoesThereAndBackWithEachCompression) {
  const std::map<std::string, std::string> kinds = {{"app.tar", "--format=pax"},
                                                    {"app.tar.gz", "--gzip"},
                                                    {"app.tar.xz", "--xz"},
                                                    {"app.tar.zst", "--zstd"}};
  for (const auto& [name, option] : kinds) {
    pack(name, {option});
    host.notes.clear();
    host.may_fetch = true;
    expect_ok("observe");
    const auto facts = host.facts;
    EXPECT_EQ(facts.at("file conf/app.ini").value, "absent");
    expect_ok("plan");
    EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before_));
    EXPECT_EQ(GitWorld::read(host.planned_dir() + "/conf/app.ini"), "new conf");
    expect_ok("run");
    expect_ok("verify");
    EXPECT_EQ(host.read("compose.yaml"), "new");
    EXPECT_EQ(fs::read_symlink(host.deployment_dir() + "/link"), "conf/app.ini");
    EXPECT_NE(fs::status(host.deployment_dir() + "/start.sh").permissions() & fs::perms::owner_exec,
              fs::perms::none);
    EXPECT_FALSE(host.exists("app.py"));
    expect_ok("rollback");
    EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before_));
    expect_ok("observe");
    EXPECT_EQ(host.facts, facts);
  }
}

TEST_F(SourceArchive, PlansWithAFileWithoutKeepingAnything) {
  pack("app.tar", {});
  expect_ok("observe");
  expect_ok("plan");
  EXPECT_FALSE(fs::exists(host.next_dir()));
  EXPECT_EQ(GitWorld::read(host.planned_dir() + "/compose.yaml"), "new");
}

TEST_F(SourceArchive, FetchesByHttpOnceAndOnlyWhereItMay) {
  if (!command({"curl", "--version"})) GTEST_SKIP() << "curl is not installed";
  pack("app.tar.gz", {"--gzip"});
  const std::string bytes = GitWorld::read(dir_ + "/app.tar.gz");
  int asked = 0;
  LoopbackServer server([&](const std::string&) {
    ++asked;
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
           std::to_string(bytes.size()) + "\r\n\r\n" + bytes;
  });
  host.option("/archive", server.url("/app.tar.gz"));
  expect_ok("observe");
  EXPECT_EQ(host.perform<Source>("plan").status, DRYDOCK_UNKNOWN);
  EXPECT_EQ(asked, 0);
  host.may_fetch = true;
  expect_ok("observe");
  expect_ok("plan");
  for (const Process& process : host.processes) {
    for (const std::string& word : process.arguments) {
      EXPECT_EQ(word.find("http://"), std::string::npos) << word << " can be seen by everybody";
    }
  }
  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(host.read("conf/app.ini"), "new conf");
}

TEST_F(SourceArchive, RefusesAnotherArchiveThanItsDigestSays) {
  pack("app.tar", {});
  host.option("/sha256", std::string(64, 'a'));
  expect_refused("is expected");
  EXPECT_TRUE(fs::is_empty(host.next_dir() + "/stage") ||
              !fs::exists(host.next_dir() + "/stage/archive-" + std::string(64, 'a') + "-1"));
}

TEST_F(SourceArchive, RefusesMembersThatNoReleaseHas) {
  pack("up.tar", {"--absolute-names", "--transform", "s,^,../outside/,"});
  expect_refused("a path that leads out of it");
  pack("absolute.tar", {"--absolute-names", "--transform", "s,^app-2," + dir_ + "/outside,"});
  expect_refused("an absolute path");
  ASSERT_TRUE(command({"mkfifo", "app-2/docker/pipe"}));
  pack("pipe.tar", {});
  expect_refused("neither file, folder nor link");
  fs::remove(dir_ + "/app-2/docker/pipe");
  fs::create_hard_link(dir_ + "/app-2/docker/compose.yaml", dir_ + "/app-2/docker/zz-hard");
  pack("hard.tar", {});
  expect_refused("a hard link");
  fs::remove(dir_ + "/app-2/docker/zz-hard");
  fs::create_symlink("../../../../outside", dir_ + "/app-2/docker/leaves");
  pack("link.tar", {});
  expect_refused("outside the release");
  fs::remove(dir_ + "/app-2/docker/leaves");
  fs::create_symlink("/etc", dir_ + "/app-2/docker/leaves");
  pack("absolute-link.tar", {});
  expect_refused("outside the release");
}

// A link and then a file through it: whatever tar makes of it, nothing is written outside.
TEST_F(SourceArchive, WritesNothingThroughALinkOfItsOwn) {
  fs::create_directory(dir_ + "/target");
  fs::create_directory(dir_ + "/evil");
  fs::create_symlink(dir_ + "/target", dir_ + "/evil/through");
  ASSERT_TRUE(command({"tar", "-cf", "evil.tar", "-C", "evil", "through"}));
  fs::remove(dir_ + "/evil/through");
  GitWorld::write(dir_ + "/evil/through/file", "written");
  ASSERT_TRUE(command({"tar", "-rf", "evil.tar", "-C", "evil", "through/file"}));
  use("evil.tar");
  host.option("/strip", 0);
  host.may_fetch = true;
  EXPECT_FALSE(host.perform<Source>("plan").ok());
  EXPECT_TRUE(fs::is_empty(dir_ + "/target"));
}

TEST_F(SourceArchive, RefusesWhatIsNoArchive) {
  GitWorld::write(dir_ + "/text", "no tar at all");
  use("text");
  expect_refused("cannot be read");
  pack("cut.tar.gz", {"--gzip"});
  fs::resize_file(dir_ + "/cut.tar.gz", fs::file_size(dir_ + "/cut.tar.gz") / 2);
  use("cut.tar.gz");
  expect_refused("cannot be read");
  host.option("/archive", dir_ + "/nowhere.tar");
  expect_refused("does not exist");
  pack("app.tar", {});
  host.option("/strip", 9);
  expect_refused("nothing is left");
  host.option("/strip", 1);
  host.option("/directory", "../app-2");
  EXPECT_EQ(host.perform<Source>("plan").status, DRYDOCK_BAD_OPTIONS);
}

TEST_F(SourceArchive, AsksForOneReleaseAndItsDigest) {
  host.clear_options();
  EXPECT_EQ(host.perform<Source>("plan").status, DRYDOCK_BAD_OPTIONS);
  host.option("/archive", "a.tar");
  EXPECT_NE(host.perform<Source>("plan").failure.find("needs its `sha256`"), std::string::npos);
  host.option("/git", testing::Option::object());
  host.option("/git/ref", "1");
  EXPECT_NE(host.perform<Source>("plan").failure.find("two releases"), std::string::npos);
}

TEST_F(SourceArchive, RollsBackFromWhereverItDied) {
  pack("app.tar", {});
  host.may_fetch = true;
  expect_ok("plan");
  for (const bool noted : {false, true}) {
    noted ? host.die_at_remember(1) : host.die_before_remember(1);
    ASSERT_TRUE(host.perform<Source>("run").died);
    expect_ok("rollback");
    EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before_));
  }
  fs::remove_all(host.next_dir());  // what was fetched is no part of the deployment
  fs::remove(dir_ + "/app.tar");
  host.die_at_process(1);
  expect_ok("rollback");
  EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before_));
}

}  // namespace
}  // namespace drydock::source
