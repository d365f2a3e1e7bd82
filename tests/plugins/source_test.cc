// The stage source on real folders: what it plans, what it never touches, and that a rollback puts
// back every byte, mode and owner from wherever it died.
#include <grp.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <drydock/testing.hpp>
#include <filesystem>
#include <fstream>
#include <map>

#include "changed_files.h"
#include "source_stage.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

// Every path below a folder with its kind, mode, owner and content.
std::map<std::string, std::string> image_of(const std::string& dir) {
  std::map<std::string, std::string> image;
  for (const auto& found : fs::recursive_directory_iterator(dir)) {
    struct stat status {};
    if (::lstat(found.path().c_str(), &status) != 0) continue;
    std::string text = std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " " +
                       std::to_string(status.st_gid) + " ";
    if (S_ISLNK(status.st_mode)) text += fs::read_symlink(found.path()).string();
    if (S_ISREG(status.st_mode)) {
      std::ifstream file(found.path(), std::ios::binary);
      text += std::to_string(status.st_mtim.tv_nsec) + " ";
      text.append(std::istreambuf_iterator<char>(file), {});
    }
    image[fs::relative(found.path(), dir).string()] = text;
  }
  return image;
}

class SourceStage : public ::testing::Test {
 protected:
  SourceStage() {
    release_ = fs::path(host.deployment_dir()).parent_path().string() + "/release";
    host.option("/directory", "../release");
    host.compose_files = {host.deployment_dir() + "/compose.yaml"};
    host.write("compose.yaml", "old");
    host.write("same.txt", "same");
    host.write("nginx/nginx.conf", "old conf");
    host.write(".env", "SECRET=1\n");
    host.write("volumes/data", "rows");
    host.write(".git/config", "git");
    host.write("own.txt", "mine");
    fs::create_symlink("nginx.conf", host.deployment_dir() + "/nginx/link");
    EXPECT_EQ(::chmod((host.deployment_dir() + "/compose.yaml").c_str(), 0640), 0);
    if (::geteuid() == 0) {
      EXPECT_EQ(::chown((host.deployment_dir() + "/compose.yaml").c_str(), 1234, 4321), 0);
    }
    put("compose.yaml", "new");
    put("same.txt", "same");
    put("nginx/nginx.conf", "new conf");
    put("envs/deep/a.env", "A=1");
    put("run.sh", "#!/bin/sh", 0755);
    put(".env", "SECRET=\n");
    put("volumes/data", "");
    put(".git/config", "other");
    fs::create_symlink("../same.txt", release_ + "/nginx/link");
    fs::create_symlink("run.sh", release_ + "/start");
    before_ = image_of(host.deployment_dir());
  }
  void put(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    const fs::path file = release_ + "/" + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
  }
  testing::StepResult step(const std::string& name) { return host.perform<Source>(name); }
  void expect_untouched() const { EXPECT_EQ(image_of(host.deployment_dir()), before_); }
  void expect_refusal(const std::string& words) {
    const auto planned = step("plan");
    EXPECT_FALSE(planned.ok());
    EXPECT_NE(planned.failure.find(words), std::string::npos) << planned.failure;
    expect_untouched();
  }

  testing::FakeHost host;
  std::string release_;
  std::map<std::string, std::string> before_;
};

TEST_F(SourceStage, PlansEachFileThatChanges) {
  ASSERT_TRUE(step("plan").ok());
  std::map<std::string, std::string> planned;
  for (const Change& change : host.changes) planned[change.name] = change.action;
  EXPECT_EQ(planned, (std::map<std::string, std::string>{{"compose.yaml", "change"},
                                                         {"envs/deep/a.env", "add"},
                                                         {"nginx/link", "change"},
                                                         {"nginx/nginx.conf", "change"},
                                                         {"run.sh", "add"},
                                                         {"start", "add"}}));
  std::ifstream copy(host.planned_dir() + "/compose.yaml");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(copy), {}), "new");
  EXPECT_TRUE(fs::exists(host.planned_dir() + "/same.txt"));
  EXPECT_FALSE(fs::exists(host.planned_dir() + "/.env"));
  expect_untouched();
}

TEST_F(SourceStage, SwitchesToTheReleaseAndNothingElse) {
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.read("compose.yaml"), "new");
  EXPECT_EQ(host.read("nginx/nginx.conf"), "new conf");
  EXPECT_EQ(host.read("envs/deep/a.env"), "A=1");
  EXPECT_EQ(fs::read_symlink(host.deployment_dir() + "/start"), "run.sh");
  EXPECT_EQ(host.read(".env"), "SECRET=1\n");
  EXPECT_EQ(host.read("volumes/data"), "rows");
  EXPECT_EQ(host.read(".git/config"), "git");
  EXPECT_EQ(host.read("own.txt"), "mine");
  struct stat status {};
  ASSERT_EQ(::stat((host.deployment_dir() + "/compose.yaml").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(status.st_uid, ::geteuid() == 0 ? 1234U : ::geteuid());
  ASSERT_EQ(::stat((host.deployment_dir() + "/run.sh").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0755U);
  EXPECT_TRUE(step("verify").ok());
  host.write("compose.yaml", "meddled");
  EXPECT_FALSE(step("verify").ok());
}

TEST_F(SourceStage, LeavesWordOfWhatItChanges) {
  EXPECT_TRUE(host.perform<Source>("run").ok());
  const auto changed = files::changed_by_run(host.private_dir(), host.run_id);
  EXPECT_EQ(changed.count(host.deployment_dir() + "/nginx/nginx.conf"), 1u);
  EXPECT_EQ(changed.count(host.deployment_dir() + "/same.txt"), 0u);
  EXPECT_TRUE(host.perform<Source>("rollback").ok());
  EXPECT_TRUE(files::changed_by_run(host.private_dir(), host.run_id).empty());
}

TEST_F(SourceStage, PutsBackEverythingAndProvesItByFacts) {
  ASSERT_TRUE(step("observe").ok());
  const auto facts = host.facts;
  EXPECT_EQ(facts.at("file envs/deep/a.env").value, "absent");
  EXPECT_TRUE(facts.at("file compose.yaml").must_return);
  ASSERT_TRUE(step("run").ok());
  ASSERT_TRUE(step("observe").ok());
  EXPECT_NE(host.facts, facts);
  ASSERT_TRUE(step("rollback").ok());
  expect_untouched();
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts, facts);
  EXPECT_TRUE(step("rollback").ok());  // again
  expect_untouched();
}

// The copy of one file is gone: it alone stays as the release has it.
TEST_F(SourceStage, PutsBackAllButWhatCannotBe) {
  ASSERT_TRUE(step("run").ok());
  fs::remove(host.private_dir() + "/before/compose.yaml");
  const auto result = step("rollback");
  EXPECT_NE(result.failure.find("before/compose.yaml"), std::string::npos) << result.failure;
  before_["compose.yaml"] = image_of(host.deployment_dir())["compose.yaml"];
  EXPECT_EQ(host.read("compose.yaml"), "new");
  expect_untouched();
}

// What anybody but root replaces cannot get another owner back.
TEST_F(SourceStage, RefusesToReplaceWhatItCouldNotGiveBack) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make files of others";
  const uid_t user = 1234;
  const fs::path above = fs::path(host.deployment_dir()).parent_path();
  host.write("nginx/foreign", "theirs");
  fs::create_symlink("nginx.conf", release_ + "/nginx/foreign");
  ASSERT_EQ(::chown(above.c_str(), user, user), 0);
  for (const auto& found : fs::recursive_directory_iterator(above)) {
    ASSERT_EQ(::lchown(found.path().c_str(), user, user), 0);
  }
  ASSERT_EQ(::chown((host.deployment_dir() + "/nginx/foreign").c_str(), 0, 0), 0);
  before_ = image_of(host.deployment_dir());
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(user) != 0 || ::setuid(user) != 0) ::_exit(2);
    const auto result = step("run");
    const bool told = result.failure.find("nginx/foreign belongs to 0:0") != std::string::npos;
    ::_exit(told && host.notes.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  expect_untouched();
}

TEST_F(SourceStage, RollsBackFromWhereverItDied) {
  for (const bool noted : {false, true}) {
    if (noted) {
      host.die_at_remember(1);
    } else {
      host.die_before_remember(1);
    }
    ASSERT_TRUE(step("run").died);
    expect_untouched();
    ASSERT_TRUE(step("rollback").ok());
    expect_untouched();
  }
  ASSERT_TRUE(step("run").ok());  // repeated after the interruption
  EXPECT_EQ(host.read("compose.yaml"), "new");
  ASSERT_TRUE(step("rollback").ok());
  expect_untouched();
}

// SIGKILL between any two files, and in the middle of one.
TEST_F(SourceStage, SurvivesAKillAnywhereInTheSwitch) {
  for (int i = 0; i < 60; ++i) put("many/" + std::to_string(i), std::string(20000, 'x'));
  host.write("many/7", "old seven");
  before_ = image_of(host.deployment_dir());
  host.die_at_remember(1);
  ASSERT_TRUE(step("run").died);
  for (int round = 0; round < 8; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const char started = 's';
      if (::write(pipe[1], &started, 1) != 1) ::_exit(2);
      ::_exit(host.perform<Source>("run").ok() ? 0 : 1);
    }
    char started = 0;
    ASSERT_EQ(::read(pipe[0], &started, 1), 1);
    // Wait for the world to be part way, then kill.
    const std::string reached = host.deployment_dir() + "/many/" + std::to_string(round * 7);
    int status = 0;
    while (!fs::exists(reached) && ::waitpid(child, &status, WNOHANG) == 0) {
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ASSERT_TRUE(step("rollback").ok());
    expect_untouched();
  }
}

TEST_F(SourceStage, WarnsOfFilesThatWereEditedHere) {
  fs::create_directories(host.snapshot_dir() + "/nginx");
  std::ofstream(host.snapshot_dir() + "/compose.yaml") << "old";
  std::ofstream(host.snapshot_dir() + "/nginx/nginx.conf") << "as released";
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(host.log_text().find("nginx/nginx.conf was edited here"), std::string::npos);
  EXPECT_EQ(host.log_text().find("compose.yaml was edited"), std::string::npos);
}

TEST_F(SourceStage, TellsManyChangesByFolder) {
  for (int i = 0; i < 100; ++i) put("envs/" + std::to_string(i), "x");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_LT(host.changes.size(), 10U);
  const bool told = std::any_of(host.changes.begin(), host.changes.end(), [](const Change& change) {
    return change.name == "envs/" && change.detail == "0 files changed, 101 added";
  });
  EXPECT_TRUE(told);
}

TEST_F(SourceStage, LeavesOutWhatTheOptionsSay) {
  host.option("/exclude", {"*.conf", "/envs", "link"});
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.read("nginx/nginx.conf"), "old conf");
  EXPECT_FALSE(host.exists("envs"));
  EXPECT_EQ(host.read(".env"), "SECRET=1\n");  // whatever the options say
  EXPECT_EQ(host.read("volumes/data"), "");    // no longer left out
}

TEST_F(SourceStage, RefusesReleasesThatCannotBeRight) {
  host.option("/directory", "../nowhere");
  expect_refusal("cannot be read");
  host.option("/directory", "..");
  expect_refusal("inside one another");
  host.option("/directory", "nginx");
  expect_refusal("inside one another");
  fs::create_directory(release_ + "-empty");
  host.option("/directory", "../release-empty");
  expect_refusal("has no files");
  host.option("/directory", "../release");
  fs::remove(release_ + "/compose.yaml");
  expect_refusal("has no compose.yaml");
}

TEST_F(SourceStage, NeverWritesThroughLinksOutOfTheDeployment) {
  const std::string outside = fs::path(release_).parent_path().string() + "/outside";
  fs::create_directory(outside);
  fs::create_directory_symlink(outside, host.deployment_dir() + "/envs");
  before_ = image_of(host.deployment_dir());
  expect_refusal("leads out of the deployment");
  EXPECT_FALSE(step("run").ok());
  EXPECT_TRUE(fs::is_empty(outside));
  fs::remove(host.deployment_dir() + "/envs");
  before_ = image_of(host.deployment_dir());
  fs::create_symlink("../../outside", release_ + "/nginx/bad");
  expect_refusal("outside the release");
}

TEST_F(SourceStage, RefusesAFolderWhereAFileIs) {
  host.write("envs", "a file of mine");
  before_ = image_of(host.deployment_dir());
  expect_refusal("move yours away");
}

}  // namespace
}  // namespace drydock::source
