// The stage source on real git checkouts: a plan that leaves them alone, a switch after which git
// calls them clean, merges of the operator's changes, and a way back to every byte.
#include <algorithm>

#include "changed_files.h"
#include "git.h"
#include "git_changes.h"
#include "source_git_world.h"

namespace drydock::source {
namespace {

namespace fs = std::filesystem;
using testing::FakeHost;

class SourceGit : public ::testing::Test {
 protected:
  // The stage on a deployment below a checkout.
  void deploy(const std::string& root) {
    root_ = root;
    fs::create_directories(root + "/docker");
    host.deployment(root + "/docker");
    host.compose_files = {host.deployment_dir() + "/docker-compose.yaml"};
    host.option("/git", testing::Option::object());
    host.option("/git/ref", "2.0");
    host.option("/local_changes", "merge");
    host.run_real_processes();
    host.may_fetch = true;
  }
  void clone_and_release() {
    world.clone();
    world.release_2();
    deploy(world.clone_at_1);
  }
  testing::StepResult step(const std::string& name) { return host.perform<Source>(name); }
  void expect_ok(const std::string& name) {
    const auto result = step(name);
    ASSERT_TRUE(result.ok()) << name << ": " << result.failure << "\n" << host.log_text();
  }
  std::string planned(const std::string& path) const {
    return GitWorld::read(host.planned_dir() + "/" + path);
  }
  std::string action_of(const std::string& path) const {
    for (const Change& change : host.changes) {
      if (change.name == path) return change.action;
    }
    return "";
  }
  void expect_refusal(const std::vector<std::string>& words) {
    const auto before = world.picture(root_);
    const auto result = step("plan");
    EXPECT_EQ(result.status, DRYDOCK_FAILED);
    for (const std::string& word : words) {
      EXPECT_NE(result.failure.find(word), std::string::npos) << word << "\n" << result.failure;
    }
    EXPECT_FALSE(step("run").ok());
    EXPECT_TRUE(is_same(world.picture(root_), before));
  }
  // There and back: clean at the release, and then everything as it was.
  void expect_there_and_back() {
    const auto before = world.picture(root_);
    expect_ok("observe");
    const auto facts = host.facts;
    expect_ok("run");
    expect_ok("verify");
    EXPECT_EQ(world.git(root_, {"status", "--porcelain", "--untracked-files=no"}), "");
    EXPECT_EQ(world.git(root_, {"rev-parse", "HEAD"}),
              world.git(world.upstream, {"rev-parse", "2.0^{commit}"}));
    expect_ok("rollback");
    EXPECT_TRUE(is_same(world.picture(root_), before));
    expect_ok("observe");
    for (const auto& [name, fact] : facts) EXPECT_EQ(host.facts[name].value, fact.value) << name;
    expect_ok("rollback");  // again
    EXPECT_TRUE(is_same(world.picture(root_), before));
    EXPECT_EQ(world.attempt(root_, {"fsck", "--no-dangling"}).code, 0);
  }

  Releases world;
  FakeHost host;
  std::string root_;
};

TEST_F(SourceGit, PlansWithoutTouchingTheCheckout) {
  clone_and_release();
  host.may_fetch = false;
  const auto everything = picture_of(root_);
  const auto unknown = step("plan");
  EXPECT_EQ(unknown.status, DRYDOCK_UNKNOWN) << unknown.failure;
  EXPECT_NE(unknown.failure.find("2.0"), std::string::npos);
  EXPECT_FALSE(fs::exists(host.next_dir()));
  host.may_fetch = true;
  expect_ok("observe");
  expect_ok("plan");
  EXPECT_TRUE(is_same(picture_of(root_), everything));
  EXPECT_EQ(action_of("docker-compose.yaml"), "change");
  EXPECT_EQ(action_of("new/deep/file.txt"), "add");
  EXPECT_EQ(action_of("old/deep/gone.txt"), "remove");
  EXPECT_EQ(action_of("../api/app.py"), "change");
  EXPECT_EQ(action_of("same.txt"), "");
  EXPECT_EQ(planned(".env.example"), "A=1\nB=2\n");
  EXPECT_EQ(planned("windows.txt"), "one\r\nzwei\r\nthree\r\n");
  EXPECT_EQ(planned("same.txt"), "same\n");
  EXPECT_FALSE(fs::exists(host.planned_dir() + "/.env"));
  // What was fetched serves the next plan without a network.
  fs::rename(world.upstream, world.upstream + "-away");
  host.may_fetch = false;
  expect_ok("plan");
}

TEST_F(SourceGit, SwitchesAFullClone) {
  world.clone();
  world.release_2(true);  // an annotated tag
  deploy(world.clone_at_1);
  expect_ok("run");
  const auto changed = files::changed_by_run(host.private_dir(), host.run_id);
  EXPECT_EQ(changed.count(host.deployment_dir() + "/nginx/nginx.conf"), 1u);
  EXPECT_EQ(changed.count(host.deployment_dir() + "/old/gone.txt"), 1u);
  EXPECT_EQ(changed.count(host.deployment_dir() + "/was-executable.sh"), 0u);
  EXPECT_EQ(host.read("docker-compose.yaml"), Releases::lines("one", "zwei"));
  EXPECT_EQ(host.read("windows.txt"), "one\r\nzwei\r\nthree\r\n");
  EXPECT_EQ(host.read("becomes-folder/inside"), "folder\n");
  EXPECT_EQ(host.read("becomes-file"), "file\n");
  EXPECT_EQ(fs::read_symlink(host.deployment_dir() + "/becomes-link"), "run.sh");
  EXPECT_FALSE(fs::is_symlink(host.deployment_dir() + "/becomes-real"));
  EXPECT_FALSE(host.exists("old"));
  EXPECT_EQ(host.read(".env"), "SECRET=mine\n");
  EXPECT_EQ(host.read("volumes/data"), "rows\n");
  EXPECT_EQ(host.read("notes.txt"), "untracked\n");
  EXPECT_EQ(GitWorld::read(root_ + "/api/app.py"), "print(2)\n");
  const std::string status = world.git(root_, {"status"});
  EXPECT_NE(status.find("HEAD detached at 2.0"), std::string::npos) << status;
  EXPECT_EQ(world.git(root_, {"status", "--porcelain", "--untracked-files=no"}), "");
  EXPECT_NE(world.git(root_, {"log", "--oneline", "-2"}).find("release 1.0"), std::string::npos);
  // The way that people go back.
  world.git(root_, {"checkout", "--quiet", "-"});
  EXPECT_EQ(world.git(root_, {"rev-parse", "--abbrev-ref", "HEAD"}), "main\n");
}

TEST_F(SourceGit, GoesThereAndBackInAFullClone) {
  clone_and_release();
  expect_there_and_back();
}

TEST_F(SourceGit, GoesThereAndBackInAShallowClone) {
  world.clone({"--depth=1", "--branch=1.0"});
  world.release_2();
  deploy(world.clone_at_1);
  expect_there_and_back();
  expect_ok("run");
  EXPECT_EQ(world.git(root_, {"rev-list", "--count", "HEAD"}), "1\n");
}

TEST_F(SourceGit, GoesThereAndBackInAShallowCloneOfABranch) {
  world.clone({"--depth=1", "--no-tags"});
  world.release_2(true);
  deploy(world.clone_at_1);
  expect_there_and_back();
}

TEST_F(SourceGit, GoesThereAndBackInALinkedWorkTree) {
  world.clone();
  world.release_2();
  const std::string tree = world.dir + "/tree";
  world.git(world.clone_at_1, {"worktree", "add", "--quiet", "--detach", tree, "1.0"});
  world.operators_own(tree);
  const auto main_tree = world.picture(world.clone_at_1);
  deploy(tree);
  expect_there_and_back();
  EXPECT_TRUE(is_same(world.picture(world.clone_at_1), main_tree));
}

TEST_F(SourceGit, GoesThereAndBackInASubmodule) {
  const std::string super = world.dir + "/super";
  fs::create_directory(super);
  world.git(super, {"init", "--quiet"});
  world.git(super, {"submodule", "--quiet", "add", "file://" + world.upstream, "app"});
  world.operators_own(super + "/app");
  world.release_2();
  deploy(super + "/app");
  expect_there_and_back();
}

TEST_F(SourceGit, UsesATagThatIsThereWithoutANetwork) {
  world.release_2();
  world.clone({"--branch=1.0"});
  fs::rename(world.upstream, world.upstream + "-away");
  deploy(world.clone_at_1);
  host.may_fetch = false;
  expect_ok("plan");
  EXPECT_FALSE(fs::exists(host.next_dir()));
  expect_ok("run");
  EXPECT_EQ(world.git(root_, {"describe", "--tags"}), "2.0\n");
  expect_ok("rollback");
  EXPECT_NE(world.git(root_, {"tag"}).find("2.0"), std::string::npos);  // it was theirs
}

TEST_F(SourceGit, MergesWhatTheOperatorChanged) {
  clone_and_release();
  host.write("docker-compose.yaml", Releases::lines("mine", "two"));  // not the line of the release
  host.write("same.txt", "changed here only\n");
  ASSERT_EQ(::chmod((root_ + "/docker/docker-compose.yaml").c_str(), 0600), 0);
  const auto before = world.picture(root_);
  expect_ok("plan");
  EXPECT_EQ(planned("docker-compose.yaml"), Releases::lines("mine", "zwei"));
  EXPECT_EQ(planned("same.txt"), "changed here only\n");
  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(host.read("docker-compose.yaml"), Releases::lines("mine", "zwei"));
  EXPECT_EQ(host.read("same.txt"), "changed here only\n");
  EXPECT_EQ(world.git(root_, {"status", "--porcelain", "--untracked-files=no"}),
            " M docker/docker-compose.yaml\n M docker/same.txt\n");
  expect_ok("rollback");
  EXPECT_TRUE(is_same(world.picture(root_), before));
}

TEST_F(SourceGit, StopsAtPlanWhereBothChangedTheSame) {
  clone_and_release();
  host.write("docker-compose.yaml", Releases::lines("one", "mine"));
  host.write("old/gone.txt", "I need this\n");
  fs::remove(root_ + "/docker/nginx/nginx.conf");
  expect_refusal({"docker/docker-compose.yaml was changed here and in the release",
                  "docker/old/gone.txt was changed here, and the release no longer has it",
                  "docker/nginx/nginx.conf was removed here"});
}

TEST_F(SourceGit, RefusesLocalChangesWhereAsked) {
  clone_and_release();
  host.option("/local_changes", "refuse");
  expect_ok("plan");
  host.write("same.txt", "changed here only\n");
  expect_refusal({"docker/same.txt", "local_changes"});
}

TEST_F(SourceGit, MergesCommitsThatWereNeverPublished) {
  clone_and_release();
  host.write("docker-compose.yaml", Releases::lines("mine", "two"));
  world.git(root_, {"commit", "--quiet", "-am", "ours"});
  host.write("own-file", "ours\n");
  world.git(root_, {"add", "docker/own-file"});
  world.git(root_, {"commit", "--quiet", "-m", "ours too"});
  const auto before = world.picture(root_);
  expect_ok("plan");
  EXPECT_NE(host.log_text().find("2 commits of your own"), std::string::npos) << host.log_text();
  expect_ok("run");
  EXPECT_EQ(host.read("docker-compose.yaml"), Releases::lines("mine", "zwei"));
  EXPECT_EQ(host.read("own-file"), "ours\n");
  expect_ok("rollback");
  EXPECT_TRUE(is_same(world.picture(root_), before));
}

TEST_F(SourceGit, MergesOwnCommitsOnAShallowClone) {
  world.clone({"--depth=1", "--branch=1.0", "--no-tags"});
  world.git(world.clone_at_1, {"tag", "--delete", "1.0"});
  world.release_2();
  deploy(world.clone_at_1);
  host.write("docker-compose.yaml", Releases::lines("mine", "two"));
  world.git(root_, {"commit", "--quiet", "-am", "ours"});
  expect_ok("run");
  EXPECT_EQ(host.read("docker-compose.yaml"), Releases::lines("mine", "zwei"));
}

// A fix that is only on the branch of an old release is no edit of the operator's.
TEST_F(SourceGit, TakesTheReleaseWholeWhereNothingWasChanged) {
  world.git(world.upstream, {"checkout", "--quiet", "-b", "1.x"});
  world.put("docker/docker-compose.yaml", Releases::lines("one", "a fix"));
  world.release("1.1");
  world.git(world.upstream, {"checkout", "--quiet", "main"});
  world.clone({"--branch=1.1"});
  world.release_2();
  deploy(world.clone_at_1);
  expect_ok("run");
  EXPECT_EQ(host.read("docker-compose.yaml"), Releases::lines("one", "zwei"));
  EXPECT_EQ(world.git(root_, {"status", "--porcelain", "--untracked-files=no"}), "");
}

TEST_F(SourceGit, NeverTakesTheNameOfAnUntrackedFile) {
  clone_and_release();
  host.write("new/start.sh", "#!/bin/sh\n");  // the same bytes: it may become git's
  expect_ok("plan");
  host.write("new/deep/file.txt", "mine\n");
  expect_refusal({"docker/new/deep/file.txt is not git's here"});
  fs::remove_all(root_ + "/docker/new/deep");
  host.write(".gitignore", "*\n");  // and ignored ones are no less the operator's
  host.write("new/deep/file.txt", "mine\n");
  expect_refusal({"docker/new/deep/file.txt"});
}

TEST_F(SourceGit, KeepsWhatElseIsInAFolderThatGoes) {
  clone_and_release();
  host.write("old/mine.txt", "mine\n");
  const auto before = world.picture(root_);
  expect_ok("run");
  EXPECT_EQ(host.read("old/mine.txt"), "mine\n");
  EXPECT_FALSE(host.exists("old/gone.txt"));
  EXPECT_FALSE(host.exists("old/deep"));
  expect_ok("verify");
  expect_ok("rollback");
  EXPECT_TRUE(is_same(world.picture(root_), before));
  host.notes.clear();
  host.write("becomes-file/mine.txt", "mine\n");
  expect_refusal({"docker/becomes-file is a folder here and a file in the release"});
}

TEST_F(SourceGit, LeavesStagedChangesWhereTheyCanBeSeen) {
  clone_and_release();
  host.write("same.txt", "staged\n");
  world.git(root_, {"add", "docker/same.txt"});
  const auto before = world.picture(root_);
  expect_ok("run");
  EXPECT_EQ(host.read("same.txt"), "staged\n");
  expect_ok("rollback");
  EXPECT_TRUE(is_same(world.picture(root_), before));
  host.notes.clear();
  host.write("same.txt", "and changed again\n");
  expect_refusal({"staged changes", "docker/same.txt"});
}

// After each command that the run starts, and at its note: in turn rolled back and gone on with.
TEST_F(SourceGit, SurvivesAKillAfterEachCommand) {
  world.clone({"--depth=1", "--branch=1.0"});
  world.release_2();
  deploy(world.clone_at_1);
  host.write("docker-compose.yaml", Releases::lines("mine", "two"));
  const auto before = world.picture(root_);
  int killed = 0;
  for (bool ended = false; !ended; ++killed) {
    host.notes.clear();
    host.interrupted = false;
    host.die_at_process(killed + 1);
    const auto result = step("run");
    ended = !result.died;
    ASSERT_TRUE(result.died || result.ok()) << result.failure;
    if (killed % 2 == 1) {
      expect_ok("run");
      expect_ok("verify");
      EXPECT_EQ(world.git(root_, {"status", "--porcelain", "--untracked-files=no"}),
                " M docker/docker-compose.yaml\n");
    }
    expect_ok("rollback");
    ASSERT_TRUE(is_same(world.picture(root_), before)) << "killed after command " << killed + 1;
  }
  EXPECT_GT(killed, 15);
  for (const bool noted : {false, true}) {
    host.notes.clear();
    noted ? host.die_at_remember(1) : host.die_before_remember(1);
    ASSERT_TRUE(step("run").died);
    EXPECT_TRUE(is_same(world.picture(root_), before));
    expect_ok("rollback");
    EXPECT_TRUE(is_same(world.picture(root_), before));
  }
}

// What a git that was killed with us leaves behind; another one's lock stays.
TEST_F(SourceGit, RemovesItsOwnLocksAlone) {
  clone_and_release();
  const auto before = world.picture(root_);
  expect_ok("run");
  const std::string commit = world.git(root_, {"rev-parse", "HEAD"});
  fs::copy_file(host.private_dir() + "/index.new", root_ + "/.git/index.lock");
  GitWorld::write(root_ + "/.git/HEAD.lock", commit);
  GitWorld::write(root_ + "/.git/refs/tags/2.0.lock", "");
  GitWorld::write(root_ + "/.git/shallow.lock", "");  // of a git that deepens, and not of ours
  expect_ok("rollback");
  EXPECT_TRUE(fs::remove(root_ + "/.git/shallow.lock"));
  EXPECT_TRUE(is_same(world.picture(root_), before));
  EXPECT_FALSE(fs::exists(root_ + "/.git/refs/tags/2.0.lock"));
  expect_ok("run");
  GitWorld::write(root_ + "/.git/HEAD.lock", "somebody else's\n");
  const auto refused = step("rollback");
  EXPECT_FALSE(refused.ok());
  EXPECT_NE(refused.failure.find("HEAD.lock"), std::string::npos) << refused.failure;
  fs::remove(root_ + "/.git/HEAD.lock");
  expect_ok("rollback");
  EXPECT_TRUE(is_same(world.picture(root_), before));
}

TEST_F(SourceGit, StartsNoHookAndNoFilterOfTheMonitor) {
  clone_and_release();
  for (const char* hook : {"post-checkout", "reference-transaction", "post-index-change",
                           "post-merge", "pre-auto-gc"}) {
    GitWorld::write(root_ + "/.git/hooks/" + hook, "#!/bin/sh\ntouch '" + world.dir + "/hooked'\n",
                    0755);
  }
  GitWorld::write(world.dir + "/monitor", "#!/bin/sh\ntouch '" + world.dir + "/hooked'\n", 0755);
  world.git(root_, {"config", "core.fsmonitor", world.dir + "/monitor"});
  expect_ok("observe");
  expect_ok("plan");
  expect_ok("run");
  expect_ok("verify");
  expect_ok("rollback");
  EXPECT_FALSE(fs::exists(world.dir + "/hooked"));
}

// What root makes in somebody's repository would keep their own git from writing.
TEST_F(SourceGit, GivesWhatItMakesToTheRepositorysOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can act for somebody else";
  clone_and_release();
  ASSERT_EQ(world.attempt(world.dir, {"version"}).code, 0);
  for (const auto& found : fs::recursive_directory_iterator(root_)) {
    ASSERT_EQ(::lchown(found.path().c_str(), 1234, 4321), 0);
  }
  ASSERT_EQ(::lchown(root_.c_str(), 1234, 4321), 0);
  const auto before = world.picture(root_);
  const auto expect_theirs = [&] {
    for (const auto& found : fs::recursive_directory_iterator(root_)) {
      struct stat status {};
      ASSERT_EQ(::lstat(found.path().c_str(), &status), 0);
      EXPECT_EQ(status.st_uid, 1234U) << found.path();
    }
  };
  expect_ok("run");
  expect_theirs();
  expect_ok("rollback");
  expect_theirs();
  EXPECT_TRUE(is_same(world.picture(root_), before));
}

TEST_F(SourceGit, SaysWhatCannotBeSwitched) {
  clone_and_release();
  host.option("/git/ref", "3.0");
  expect_refusal({"has no tag 3.0"});
  host.option("/git/ref", "--upload-pack=x");
  EXPECT_EQ(step("plan").status, DRYDOCK_BAD_OPTIONS);
  host.option("/git/ref", "2.0");
  world.git(root_, {"config", "core.sparseCheckout", "true"});
  expect_refusal({"sparse"});
  world.git(root_, {"config", "--unset", "core.sparseCheckout"});
  GitWorld::write(root_ + "/.git/MERGE_HEAD", world.git(root_, {"rev-parse", "HEAD"}));
  expect_refusal({"in the middle of a merge"});
  fs::remove(root_ + "/.git/MERGE_HEAD");
  world.git(world.upstream, {"submodule", "--quiet", "add", "file://" + world.upstream, "sub"});
  world.release("2.1");
  host.option("/git/ref", "2.1");
  expect_refusal({"sub is a submodule"});
  fs::rename(world.upstream, world.upstream + "-away");
  host.option("/git/ref", "2.2");
  expect_refusal({"cannot fetch the tag 2.2", "git ls-remote"});
  fs::remove_all(root_ + "/.git");
  const auto without = step("plan");
  EXPECT_NE(without.failure.find("lies in no git checkout"), std::string::npos) << without.failure;
}

TEST_F(SourceGit, LeavesARepositoryAloneThatHappensToBeAbove) {
  clone_and_release();
  host.write("elsewhere/compose.yaml", "services: {}\n");
  host.deployment(root_ + "/docker/elsewhere");
  host.compose_files = {};
  expect_refusal({"has no files in docker/elsewhere/"});
}

// It is env-sync's, whoever tracks it.
TEST_F(SourceGit, LeavesTheEnvFileAloneAlsoWhereGitTracksIt) {
  world.put("docker/.env", "A=1\n");
  world.git(world.upstream, {"add", "--force", "docker/.env"});
  world.release("1.1");
  world.clone();  // with an .env of the operator's own
  world.put("docker/.env", "A=2\n");
  world.git(world.upstream, {"add", "--force", "docker/.env"});
  world.release_2();
  deploy(world.clone_at_1);
  const auto before = world.picture(root_);
  expect_ok("plan");
  EXPECT_FALSE(fs::exists(host.planned_dir() + "/.env"));
  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(host.read(".env"), "SECRET=mine\n");
  expect_ok("rollback");
  EXPECT_TRUE(is_same(world.picture(root_), before));
}

// Of another repository only the files are taken.
TEST_F(SourceGit, TakesTheFilesOfAnotherRepository) {
  world.release_2();
  deploy(world.dir);  // no checkout at all
  host.write("docker-compose.yaml", "old\n");
  host.write(".env", "SECRET=mine\n");
  host.option("/git/repository", "file://" + world.upstream);
  host.option("/directory", "docker");
  const auto before = picture_of(host.deployment_dir());
  host.may_fetch = false;
  EXPECT_EQ(step("plan").status, DRYDOCK_UNKNOWN);
  host.may_fetch = true;
  expect_ok("plan");
  EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before));
  EXPECT_EQ(planned(".env.example"), "A=1\nB=2\n");
  expect_ok("run");
  expect_ok("verify");
  EXPECT_EQ(host.read("docker-compose.yaml"), Releases::lines("one", "zwei"));
  EXPECT_EQ(host.read("windows.txt"), "one\r\nzwei\r\nthree\r\n");
  EXPECT_FALSE(host.exists("api"));
  expect_ok("rollback");
  EXPECT_TRUE(is_same(picture_of(host.deployment_dir()), before));
}

}  // namespace
}  // namespace drydock::source
