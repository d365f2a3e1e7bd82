// The stage env-sync: full cycles on files, and the real templates of Dify.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "env_sync_world.h"

namespace drydock::env_sync {
namespace fs = std::filesystem;
namespace {

TEST_F(EnvSyncStage, PlansWhatRunWrites) {
  base("A=1\nB=1\nDB_PASSWORD=public\n");
  host.write(".env", "A=1\nB=me\nDB_PASSWORD=s3cret\n");
  host.write(".env.example", "A=2\nB=1\nDB_PASSWORD=n3xt\nC=3\n");
  const auto planned = step("plan");
  ASSERT_TRUE(planned.ok()) << planned.failure;
  EXPECT_EQ(host.read(".env"), "A=1\nB=me\nDB_PASSWORD=s3cret\n");
  EXPECT_EQ(change("A")->before, "1");
  EXPECT_EQ(change("A")->after, "2");
  EXPECT_EQ(change("B")->action, "keep");
  EXPECT_EQ(change("C")->action, "add");
  for (const Change& each : host.changes) {
    EXPECT_EQ((each.before + each.after + each.detail).find("s3cret"), std::string::npos);
    EXPECT_EQ((each.before + each.after + each.detail).find("n3xt"), std::string::npos);
  }
  EXPECT_EQ(change("DB_PASSWORD")->after, "(secret)");
  EXPECT_NE(change(".env")->detail.find("base .env.example of the last snapshot: 1 of 3 match"),
            std::string::npos)
      << change(".env")->detail;
  const std::string text = files::read(host.planned_dir() + "/.env");
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.read(".env"), text);
  EXPECT_EQ(text, "A=2\nB=me\nDB_PASSWORD=s3cret\nC=3\n");
  EXPECT_TRUE(step("verify").ok());
  host.write(".env", "A=9\n");
  EXPECT_FALSE(step("verify").ok());
}

TEST_F(EnvSyncStage, KeepsModeOwnerLinksAndACopy) {
  host.write("real.env", "A=1\nX=1\n");
  fs::create_symlink("real.env", at(".env"));
  host.write(".env.example", "A=1\n");
  ASSERT_EQ(::chmod(at("real.env").c_str(), 0640), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(at("real.env").c_str(), 1234, 4321), 0);
  }
  const auto before = files::attributes(at("real.env"));
  ASSERT_TRUE(step("run").ok());
  EXPECT_TRUE(fs::is_symlink(at(".env")));
  EXPECT_EQ(files::attributes(at("real.env")), before);
  EXPECT_EQ(files::attributes(at("env-backup"))->mode, 0700U);
  std::size_t copies = 0;
  for (const auto& entry : fs::directory_iterator(at("env-backup"))) {
    if (entry.path().filename() == ".gitignore") continue;
    ++copies;
    EXPECT_EQ(files::read(entry.path().string()), "A=1\nX=1\n");
    EXPECT_EQ(files::attributes(entry.path().string()), before);
  }
  EXPECT_EQ(copies, 1U);
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(host.read("real.env"), "A=1\nX=1\n");
  EXPECT_TRUE(fs::is_symlink(at(".env")));
  EXPECT_EQ(files::attributes(at("real.env")), before);
}

TEST_F(EnvSyncStage, HidesItsCopiesFromGitAndNothingElse) {
  if (!in_path("git")) GTEST_SKIP() << "git is not installed";
  const auto git = [this](std::vector<std::string> words) {
    std::vector<std::string> command = {"git", "-C", host.deployment_dir()};
    command.insert(command.end(), words.begin(), words.end());
    const testing::Result result = testing::execute({command, {}, host.deployment_dir()}, -1);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out;
  };
  git({"init", "--quiet"});
  host.write(".env", "A=mine\n");
  host.write(".env.example", "A=1\nB=2\n");
  for (const char* folder : {"env-backup", "."}) {
    host.option("/history_dir", folder);
    host.write(".env", "A=mine\n");
    run();
    EXPECT_EQ(git({"ls-files", "--others", "--exclude-standard"}), ".env\n.env.example\n")
        << folder;
  }
}

TEST_F(EnvSyncStage, RollsBackFromWhereverItDied) {
  const std::string old = "A='1'\r\nX=\"a\nb\" # c\n";
  host.write(".env", old);
  host.write(".env.example", "A=1\nB=2\n");
  ASSERT_EQ(::chmod(at(".env").c_str(), 0604), 0);
  ASSERT_TRUE(step("observe").ok());
  const auto facts = host.facts;
  EXPECT_TRUE(facts.at("content of .env").secret);
  for (const bool durable : {false, true}) {
    host.notes.clear();
    if (durable) {
      host.die_at_remember(1);
    } else {
      host.die_before_remember(1);
    }
    ASSERT_TRUE(step("run").died);
    ASSERT_TRUE(step("rollback").ok());
    EXPECT_EQ(host.read(".env"), old);
  }
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(host.read(".env"), old);
  ASSERT_TRUE(step("run").ok());  // repeated: merges the file from before the first attempt
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(step("rollback").ok());
    ASSERT_TRUE(step("observe").ok());
    EXPECT_EQ(host.facts, facts);
  }
}

TEST_F(EnvSyncStage, MakesTheCopyForOperatorsOnceHoweverOftenItDies) {
  const auto copies = [&] {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(at("env-backup"))) {
      if (entry.path().filename() != ".gitignore") found.push_back(entry.path().string());
    }
    return found;
  };
  host.write(".env", "A=mine\n");
  host.write(".env.example", "A=1\nB=2\n");
  host.die_at_remember(1);  // the copy is noted, and not there
  ASSERT_TRUE(step("run").died);
  EXPECT_FALSE(host.exists("env-backup"));
  for (int attempt = 2; attempt < 4; ++attempt) {
    ASSERT_TRUE(step("run").ok());
    ASSERT_EQ(copies().size(), 1U);
    EXPECT_EQ(files::read(copies()[0]), "A=mine\n");
  }
}

// An attempt that had nothing to change has made no copy.
TEST_F(EnvSyncStage, MakesTheCopyForOperatorsWhenALaterAttemptChangesTheFile) {
  host.write(".env", "A=1\n");
  host.write(".env.example", "A=1\n");
  ASSERT_TRUE(step("run").ok());
  EXPECT_FALSE(host.exists("env-backup"));
  host.write(".env.example", "A=1\nB=2\n");
  ASSERT_TRUE(step("run").ok());
  EXPECT_TRUE(host.exists("env-backup"));
}

TEST_F(EnvSyncStage, MakesTheFileFromTheTemplateAndTakesItAway) {
  host.write(".env.example", "# c\nA=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(change(".env")->action, "add");
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.read(".env"), "# c\nA=1\n");
  EXPECT_EQ(files::attributes(at(".env"))->mode, 0600U);
  EXPECT_FALSE(host.exists("env-backup"));
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_FALSE(host.exists(".env"));
}

TEST_F(EnvSyncStage, KeepsWhatSomebodyWroteMeanwhileBeforeItPutsBack) {
  host.write(".env", "A=1\n");
  host.write(".env.example", "A=1\nB=1\n");
  ASSERT_TRUE(step("run").ok());
  host.write(".env", "A=theirs\n");
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(host.read(".env"), "A=1\n");
  EXPECT_NE(host.log_text().find("that version is"), std::string::npos);
  std::size_t kept = 0;
  for (const auto& entry : fs::directory_iterator(at("env-backup"))) {
    kept += files::read(entry.path().string()) == "A=theirs\n" ? 1 : 0;
  }
  EXPECT_EQ(kept, 1U);
}

TEST_F(EnvSyncStage, TakesAwayOnceWhatItMade) {
  host.write(".env.example", "A=1\n");
  ASSERT_TRUE(step("run").ok());
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_FALSE(fs::exists(at(".env")));
  host.write(".env", "A=mine\n");
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(host.read(".env"), "A=mine\n");
}

TEST_F(EnvSyncStage, TellsALinkFromTheFileItLeadsTo) {
  host.write("real.env", "A=1\n");
  host.write(".env", "A=1\n");
  ASSERT_TRUE(step("observe").ok());
  const std::string before = host.facts.at("file .env").value;
  fs::remove(at(".env"));
  fs::create_symlink("real.env", at(".env"));
  host.facts.clear();
  ASSERT_TRUE(step("observe").ok());
  EXPECT_EQ(host.facts.at("file .env").value, before + ", by a link to real.env");
}

TEST_F(EnvSyncStage, FailsAndRollsBackWhereALinkLeadsIntoNoFolder) {
  host.write(".env.example", "A=1\n");
  fs::create_symlink("no/where", at(".env"));
  EXPECT_FALSE(step("run").ok());
  const auto undone = step("rollback");
  EXPECT_TRUE(undone.ok()) << undone.failure;
  EXPECT_TRUE(fs::is_symlink(at(".env")));
}

TEST_F(EnvSyncStage, WritesNothingASecondTime) {
  host.write(".env", "A=1\nOWN=1\n");
  host.write(".env.example", "A=1\nB=1\n");
  ASSERT_TRUE(step("run").ok());
  const std::string once = host.read(".env");
  host.notes.clear();
  ASSERT_TRUE(step("plan").ok());
  for (const Change& each : host.changes) EXPECT_EQ(each.action, "keep") << each.name;
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.read(".env"), once);
}

// As Dify's envs/: some of its templates hold comments alone.
TEST_F(EnvSyncStage, ReadsTemplatesOfAGlobOfWhichSomeSetNothing) {
  set("/template", nlohmann::json::array({"envs/*.env.example"}));
  host.write(".env", "B=mine\n");
  host.write("envs/a.env.example", "# nothing to set\n");
  host.write("envs/b.env.example", "A=1\nB=1\n");
  ASSERT_TRUE(step("run").ok());
  EXPECT_NE(host.read(".env").find("A=1\nB=mine\n"), std::string::npos) << host.read(".env");

  host.write("envs/a.env.example", "");  // lost on the way
  const auto blank = step("plan");
  EXPECT_NE(blank.failure.find("the template envs/a.env.example sets no variable"),
            std::string::npos)
      << blank.failure;
  host.write("envs/a.env.example", "# nothing to set\n");
  host.write("envs/b.env.example", "# nor here\n");
  EXPECT_FALSE(step("plan").ok());
  host.write("envs/b.env.example", "A=1\n");
  set("/template", nlohmann::json::array({"envs/b.env.example", "envs/a.env.example"}));
  EXPECT_FALSE(step("plan").ok());  // it was named
}

TEST_F(EnvSyncStage, RefusesWhatItCannotRead) {
  const auto refused = [this](const std::string& words) {
    for (const char* name : {"plan", "run"}) {
      const auto result = step(name);
      EXPECT_FALSE(result.ok());
      EXPECT_NE(result.failure.find(words), std::string::npos) << result.failure;
      EXPECT_EQ(result.failure.find("s3cret"), std::string::npos);
    }
    host.notes.clear();
  };
  host.write(".env", "A=1\n");
  refused("does not exist");
  host.write(".env.example", "# nothing\n");
  refused("sets no variable");
  host.write(".env.example", "A=1\n");
  host.write(".env", "A=1\nPW=\"s3cret\n");
  refused("the .env, line 2: the quoted value of PW does not end");
  EXPECT_EQ(host.read(".env"), "A=1\nPW=\"s3cret\n");
  host.write(".env", "A=1\n");
  host.option("/base", "nowhere");
  refused("the base");
}

// --- Dify ----------------------------------------------------------------------------------------
TEST_F(Dify, LosesNothingFrom1_13_0To1_14_0) {
  std::string mine = of_release("1.13.0");
  const std::vector<std::pair<std::string, std::string>> edits = {{"SECRET_KEY", "'sk-mine$1'"},
                                                                  {"DB_PASSWORD", "\"p w\""},
                                                                  {"UPLOAD_FILE_SIZE_LIMIT", "99"},
                                                                  {"VECTOR_STORE", "qdrant"},
                                                                  {"LOG_LEVEL", "DEBUG"}};
  for (const auto& [key, value] : edits) mine = edit(mine, key, value);
  mine += "# my proxy\nexport MY_PROXY=http://proxy:3128\n";
  base(of_release("1.13.0"));
  host.write(".env", mine);
  host.write(".env.example", of_release("1.14.0"));
  const auto ran = step("run");
  ASSERT_TRUE(ran.ok()) << ran.failure;
  ASSERT_TRUE(step("verify").ok());
  const std::string text = host.read(".env");
  for (const auto& [key, value] : edits) {
    EXPECT_NE(text.find("\n" + key + "=" + value + "\n"), std::string::npos) << key;
  }
  EXPECT_NE(text.find("# my proxy\nexport MY_PROXY=http://proxy:3128\n"), std::string::npos);
  const EnvValues before = evaluate(EnvFile::parse(mine));
  const EnvValues after = evaluate(EnvFile::parse(text));
  std::vector<std::string> lost;
  for (const std::string_view key : before.keys()) {
    if (after.find(key) == nullptr) lost.emplace_back(key);
  }
  // A placeholder that was never touched, and that 1.14.0 comments out: "DO NOT enable it if ...".
  EXPECT_LE(lost.size(), 1U);
  for (const std::string& key : lost) EXPECT_EQ(key, "ALIYUN_CLOUDBOX_ID");
  const EnvValues release = evaluate(EnvFile::parse(of_release("1.14.0")));
  for (const std::string_view key : release.keys()) {
    EXPECT_NE(after.find(key), nullptr) << key;
  }
}

TEST_F(Dify, KeepsTheVariablesThat1_14_1MovedElsewhere) {
  std::string mine = edit(of_release("1.14.0"), "UPLOAD_FILE_SIZE_LIMIT", "99");
  mine = edit(mine, "SMTP_PASSWORD", "mail");
  base(of_release("1.14.0"));
  host.write(".env", mine);
  host.write(".env.example", of_release("1.14.1"));
  ASSERT_TRUE(step("run").ok());
  const EnvValues before = evaluate(EnvFile::parse(mine));
  const EnvValues theirs = evaluate(EnvFile::parse(of_release("1.14.1")));
  const EnvValues after = evaluate(EnvFile::parse(host.read(".env")));
  std::size_t moved = 0;
  for (const std::string_view key : before.keys()) {
    ASSERT_NE(after.find(key), nullptr) << key;
    if (theirs.find(key) != nullptr) continue;
    ++moved;
    EXPECT_EQ(*after.find(key), *before.find(key)) << key;
  }
  EXPECT_EQ(moved, 503U);
  EXPECT_EQ(*after.find("UPLOAD_FILE_SIZE_LIMIT"), "99");
  EXPECT_EQ(*after.find("SECRET_KEY"), *before.find("SECRET_KEY"));
  EXPECT_EQ(*after.find("ENABLE_COLLABORATION_MODE"), *theirs.find("ENABLE_COLLABORATION_MODE"));
}

// Without a snapshot nothing effective changes.
TEST_F(Dify, ChangesNothingEffectiveWithoutABase) {
  const std::string mine = of_release("1.13.0");
  host.write(".env", mine);
  host.write(".env.example", of_release("1.14.1"));
  ASSERT_TRUE(step("run").ok());
  const EnvValues before = evaluate(EnvFile::parse(mine));
  const EnvValues after = evaluate(EnvFile::parse(host.read(".env")));
  for (const std::string_view key : before.keys()) {
    ASSERT_NE(after.find(key), nullptr) << key;
    EXPECT_EQ(*after.find(key), *before.find(key)) << key;
  }
}

}  // namespace
}  // namespace drydock::env_sync
