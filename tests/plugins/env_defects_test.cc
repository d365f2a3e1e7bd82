// What the scripts that this stage replaces do wrong, each reproduced with them: none of it happens
// here. The numbers are those of the study that found them.
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "env_sync_world.h"

namespace drydock::env_sync {
namespace fs = std::filesystem;
namespace {

using Defect = EnvSyncStage;

std::string value(const std::string& text, const std::string& key) {
  const EnvValues values = evaluate(EnvFile::parse(text));
  EXPECT_FALSE(values.error()) << values.error()->describe();
  const std::string_view* found = values.find(key);
  return found == nullptr ? "(not set)" : std::string(*found);
}

TEST_F(Defect, D1KeepsVariablesThatStandOnlyInTheEnv) {
  host.write(".env", "A=1\nMINE=m\n");
  host.write(".env.example", "A=1\n");
  EXPECT_EQ(value(run(), "MINE"), "m");
}

TEST_F(Dify, D2KeepsThe503VariablesThat1_14_1NoLongerHas) {
  const std::string old = of_release("1.14.0");
  std::string mine = old;
  for (const char* key :
       {"UPLOAD_FILE_SIZE_LIMIT", "SMTP_PASSWORD", "S3_SECRET_KEY", "MAIL_TYPE"}) {
    mine = edit(mine, key, "mine");
  }
  base(old);
  host.write(".env", mine);
  host.write(".env.example", of_release("1.14.1"));
  const std::string merged = run();
  const EnvValues before = evaluate(EnvFile::parse(mine));
  for (const std::string_view key : before.keys()) {
    EXPECT_NE(value(merged, std::string(key)), "(not set)") << key;
  }
  EXPECT_EQ(value(merged, "SMTP_PASSWORD"), "mine");
}

TEST_F(Defect, D3KeepsExportedVariables) {
  host.write(".env", "export A=mine\n");
  host.write(".env.example", "A=1\n");
  EXPECT_EQ(run(), "export A=mine\n");
}

TEST_F(Defect, D4ReadsTheFirstVariableBehindAByteOrderMark) {
  host.write(".env",
             "\xef\xbb\xbf"
             "A=mine\nB=1\n");
  host.write(".env.example", "A=1\nB=1\n");
  EXPECT_EQ(value(run(), "A"), "mine");
  host.write(".env", "A=mine\nB=1\n");
  host.write(".env.example",
             "\xef\xbb\xbf"
             "A=1\nB=1\n");
  EXPECT_EQ(value(run(), "A"), "mine");
}

TEST_F(Defect, D5KeepsValuesOfSeveralLinesWhole) {
  host.write(".env", "A=\"l1\nl2=zz\nl3\"\nB=9\n");
  host.write(".env.example", "A=d\nB=\"1\n2\"\n");
  const std::string merged = run();
  EXPECT_EQ(value(merged, "A"), "l1\nl2=zz\nl3");
  EXPECT_EQ(value(merged, "B"), "9");
  EXPECT_EQ(value(merged, "l2"), "(not set)");
}

TEST_F(Defect, D6KeepsOddKeysColonsAndInheritedOnes) {
  host.write(".env", "A.B=mine\nA-B=mine\nC: mine\nINHERITED\nE=mine\n");
  host.write(".env.example", "A.B=1\nA-B=1\nC=1\nINHERITED=1\nE: 1\n");
  const std::string merged = run();
  for (const char* key : {"A.B", "A-B", "C", "E"}) EXPECT_EQ(value(merged, key), "mine") << key;
  EXPECT_EQ(value(merged, "INHERITED"), "(not set)");
  EXPECT_NE(merged.find("\nINHERITED\n"), std::string::npos);
}

TEST_F(Defect, D7RespectsWhatIsCommentedOutAndKeepsComments) {
  base("A=1\nB=1\nC=1\n");
  host.write(".env", "# why I changed it\nA=mine\n#B=1\nC=1\n");
  host.write(".env.example", "# A=1\nB=1\nC=1\n");
  const std::string merged = run();
  EXPECT_EQ(value(merged, "A"), "mine");
  EXPECT_EQ(value(merged, "B"), "(not set)");
  EXPECT_NE(merged.find("# why I changed it\nA=mine\n"), std::string::npos) << merged;
}

TEST_F(Defect, D8ReadsBlanksAroundKeys) {
  host.write(".env", "  A=mine\nB =mine\n");
  host.write(".env.example", "A=1\nB=1\n");
  const std::string merged = run();
  EXPECT_EQ(value(merged, "A"), "mine");
  EXPECT_EQ(value(merged, "B"), "mine");
}

TEST_F(Defect, D9NeedsNoTextTools) {
  host.write(".env", "DB_PASSWORD=s3cr3t\n");
  host.write(".env.example", "DB_PASSWORD=public\n");
  EXPECT_EQ(value(run(), "DB_PASSWORD"), "s3cr3t");
  EXPECT_TRUE(host.processes.empty());
}

TEST_F(Defect, D10ReadsIndentedTemplateLines) {
  host.write(".env", "A=mine\n");
  host.write(".env.example", "  A=1\n");
  EXPECT_EQ(value(run(), "A"), "mine");
}

TEST_F(Defect, D11KeepsEveryByteOfAValue) {
  const std::string odd = "A=a\x01z\nB=caf\xe9\nC=x\ry\nD=nb\xc2\xa0sp\nE=crlf\r\n";
  host.write(".env", odd);
  host.write(".env.example", "A=1\nB=1\nC=1\nD=1\nE=1\n");
  EXPECT_EQ(run(), odd);
}

TEST_F(Defect, D12ComparesValuesAndNotHowTheyAreWritten) {
  base("A=x\nB=d\n");
  host.write(".env", "A=\"x\"\nB=d # note\n");
  host.write(".env.example", "A=x\nB=d\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(change("A"), nullptr);
  EXPECT_EQ(change("B"), nullptr);
  EXPECT_EQ(run(), "A=\"x\"\nB=d # note\n");
}

TEST_F(Dify, D13AdoptsNewDefaultsWhereTheOldOnesAreKnown) {
  base(of_release("1.14.0"));
  host.write(".env", of_release("1.14.0"));
  host.write(".env.example", of_release("1.14.1"));
  const std::string merged = run();
  EXPECT_EQ(value(merged, "ENABLE_COLLABORATION_MODE"), "true");
  EXPECT_NE(value(merged, "COMPOSE_PROFILES").find("collaboration"), std::string::npos);
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(detail("SECRET_KEY").find("everybody knows it"), std::string::npos)
      << detail("SECRET_KEY");
}

TEST_F(Defect, D14KeepsModeOwnerAndLinks) {
  host.write("real.env", "A=mine\nB=1\n");
  ASSERT_EQ(::chmod(at("real.env").c_str(), 0600), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(at("real.env").c_str(), 1000, 1000), 0);
  }
  const auto before = files::attributes(at("real.env"));
  fs::create_symlink("real.env", at(".env"));
  fs::create_hard_link(at("real.env"), at("other.env"));
  host.write(".env.example", "A=1\nB=1\nC=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_NE(host.log_text().find("has 2 hard links"), std::string::npos) << host.log_text();
  run();
  EXPECT_TRUE(fs::is_symlink(at(".env")));
  EXPECT_EQ(files::attributes(at("real.env")), before);
}

TEST_F(Defect, D14SaysBeforeTheRunWhoCannotKeepTheOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to be another user";
  host.write(".env", "A=mine\n");
  host.write(".env.example", "A=1\nC=1\n");
  ASSERT_EQ(::chmod(at(".env").c_str(), 0644), 0);
  ASSERT_EQ(::chown(at(".env").c_str(), 1000, 1000), 0);
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.log_text().find("belongs to user"), std::string::npos) << host.log_text();
  constexpr uid_t nobody = 65534;
  const fs::path all = fs::path(host.planned_dir()).parent_path();
  ASSERT_EQ(::chmod(all.c_str(), 0777), 0);
  for (const auto& entry : fs::recursive_directory_iterator(all)) {
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms::all);
  }
  ASSERT_EQ(::seteuid(nobody), 0);
  const bool planned = step("plan").ok();
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_TRUE(planned) << host.log_text();
  EXPECT_NE(host.log_text().find(".env belongs to user 1000, this is user 65534; only that user or "
                                 "root can replace it"),
            std::string::npos)
      << host.log_text();
}

TEST_F(Defect, D15SaysBeforeTheRunThatCopiesHaveNoFolder) {
  host.write(".env", "A=mine\n");
  host.write(".env.example", "A=1\nC=1\n");
  host.write("env-backup", "not a folder");
  const auto planned = step("plan");
  EXPECT_NE(planned.failure.find("env-backup is no folder; name another one"), std::string::npos)
      << planned.failure;
  set("/history_dir", "");
  EXPECT_TRUE(step("plan").ok());
}

TEST_F(Defect, D15GivesEachCopyANameOfItsOwn) {
  host.write(".env.example", "A=1\nB=1\n");
  for (int i = 0; i < 5; ++i) {
    host.write(".env", "A=" + std::to_string(i) + "\n");
    ASSERT_EQ(::chmod(at(".env").c_str(), 0640), 0);
    run();
  }
  std::set<std::string> kept;
  for (const auto& entry : fs::directory_iterator(at("env-backup"))) {
    if (entry.path().filename() == ".gitignore") continue;
    kept.insert(files::read(entry.path().string()));
    EXPECT_EQ(files::attributes(entry.path().string())->mode, 0640U);
  }
  EXPECT_EQ(kept.size(), 5U);
  EXPECT_EQ(files::attributes(at("env-backup"))->mode, 0700U);
}

TEST_F(Defect, D16LeavesFilesOfTheOperatorAlone) {
  host.write(".env", "A=mine\n");
  host.write(".env.new", "hers\n");
  host.write(".env.example", "A=1\nB=1\n");
  run();
  EXPECT_EQ(host.read(".env.new"), "hers\n");
}

TEST_F(Defect, D17LeavesNothingBehindWhenItIsKilled) {
  host.write(".env", "A=mine\n");
  host.write(".env.example", "A=1\nB=1\n");
  host.die_at_remember(1);
  ASSERT_TRUE(step("run").died);
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(host.read(".env"), "A=mine\n");
  for (const auto& entry : fs::recursive_directory_iterator(host.deployment_dir())) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(name == ".env" || name == ".env.example" || name == "env-backup" ||
                name == ".gitignore")
        << name;
  }
}

TEST_F(Defect, D18ChangesNothingWhereTheCopyCannotBeWritten) {
  host.write(".env", "A=mine\n");
  host.write(".env.example", "A=1\nB=1\n");
  host.option("/history_dir", "/dev/full/copies");
  const auto ran = step("run");
  EXPECT_FALSE(ran.ok());
  EXPECT_NE(ran.failure.find("/dev/full"), std::string::npos) << ran.failure;
  EXPECT_EQ(host.read(".env"), "A=mine\n");
}

TEST_F(Defect, D19SaysWhatIsInTheWay) {
  host.write(".env.example", "A=1\n");
  fs::create_directory(at(".env"));
  EXPECT_NE(refusal().find("/.env"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(at(".env")));
  fs::remove(at(".env"));
  host.write(".env", "A=mine\nB=1\n");
  host.write("env-backup", "a file\n");
  const auto ran = step("run");
  EXPECT_FALSE(ran.ok());
  EXPECT_NE(ran.failure.find("env-backup"), std::string::npos) << ran.failure;
  EXPECT_EQ(host.read(".env"), "A=mine\nB=1\n");
}

TEST_F(Defect, D20DoesNotTakeAFailureForNoDifferences) {
  host.write(".env", "A=mine\nDB_PASSWORD=s3cr3t\n");
  host.write(".env.example", "A=d\nDB_PASSWORD=public\n");
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/nowhere/s p", 1);
  const std::string merged = run();
  if (before == nullptr) {
    ::unsetenv("TMPDIR");
  } else {
    ::setenv("TMPDIR", kept.c_str(), 1);
  }
  EXPECT_EQ(merged, "A=mine\nDB_PASSWORD=s3cr3t\n");
}

TEST_F(Defect, D21RefusesAnEmptyTemplate) {
  host.write(".env", "A=mine\n");
  for (const char* nothing : {"", "# only a comment\n", "\n\n"}) {
    host.write(".env.example", nothing);
    EXPECT_NE(refusal().find("sets no variable"), std::string::npos);
    EXPECT_EQ(host.read(".env"), "A=mine\n");
  }
}

TEST_F(Defect, D22ShowsNoSecrets) {
  base("DB_PASSWORD=public\nURL=http://x\nNOTE=1\n");
  host.write(".env", "DB_PASSWORD=s3cr3t\nURL=http://u:s3cr3t@x\nNOTE=2\n");
  host.write(".env.example", "DB_PASSWORD=other\nURL=http://y\nNOTE=3\n");
  for (const char* name : {"plan", "run"}) {
    ASSERT_TRUE(step(name).ok());
    std::string said = host.log_text();
    for (const Change& each : host.changes) said += each.before + each.after + each.detail;
    EXPECT_EQ(said.find("s3cr3t"), std::string::npos) << said;
    EXPECT_EQ(said.find("public"), std::string::npos) << said;
  }
}

TEST_F(Defect, D23CountsAVariableThatStandsTwiceOnce) {
  host.write(".env", "A=1\nA=mine\n");
  host.write(".env.example", "A=0\nB=1\nB=2\nA=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(std::count_if(host.changes.begin(), host.changes.end(),
                          [](const Change& each) { return each.name == "A"; }),
            1);
  const std::string merged = run();
  EXPECT_EQ(value(merged, "A"), "mine");
  EXPECT_EQ(value(merged, "B"), "2");
}

TEST_F(Defect, D24PlansWithoutWritingKnowsOtherTemplatesAndRollsBack) {
  base("A=1\nMOVED=1\n");
  host.write(".env", "A=mine\nMOVED=2\n");
  host.write(".env.example", "A=1\nNEW=1\n");
  host.write("envs/part/api.env.example", "MOVED=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.read(".env"), "A=mine\nMOVED=2\n");
  EXPECT_EQ(change(".env")->action, "change");
  EXPECT_NE(detail("MOVED").find("now in envs/part/api.env.example"), std::string::npos)
      << detail("MOVED");
  ASSERT_TRUE(step("run").ok());
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(host.read(".env"), "A=mine\nMOVED=2\n");
}

}  // namespace
}  // namespace drydock::env_sync
