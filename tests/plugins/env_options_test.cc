// What the options of env-sync do, what its plan tells, and what it refuses.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "difference.h"
#include "env_sync_world.h"
#include "templates.h"

namespace drydock::env_sync {
namespace fs = std::filesystem;
namespace {

using Options = EnvSyncStage;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// --- templates -----------------------------------------------------------------------------------
TEST_F(Options, ReadsSeveralTemplatesAsOne) {
  set("/template", {"first.example", "parts/**/*.env.example"});
  host.write("first.example", "# one\nA=1\nB=1\n");
  host.write("parts/x.env.example", "# two\nB=2\nC=1\n");
  host.write("parts/deep/er/y.env.example", "D=1\n");
  host.write("parts/other.txt", "E=1\n");
  host.write(".env", "B=mine\nD=mine\n");
  EXPECT_EQ(run(),
            "# one\nA=1\nB=mine\n\n# parts/deep/er/y.env.example\nD=mine\n"
            "\n# parts/x.env.example\nC=1\n");
  set("/template", {"parts/*.nothing"});
  EXPECT_TRUE(contains(refusal(), "parts/*.nothing matches no file"));
}

TEST(Templates, GlobsStayWithinFoldersButForTwoStars) {
  EXPECT_TRUE(matches_path("*.env.example", ".env.example"));
  EXPECT_TRUE(matches_path("envs/**/*.example", "envs/a.example"));
  EXPECT_TRUE(matches_path("envs/**/*.example", "envs/a/b/c.example"));
  EXPECT_FALSE(matches_path("envs/*.example", "envs/a/b.example"));
  EXPECT_FALSE(matches_path("envs/**/*.example", "other/a.example"));
}

TEST_F(Options, SaysWhereVariablesMoved) {
  host.compose_files = {at("compose.yaml")};
  host.option("/proof", "own");
  host.write("compose.yaml", "services: {a: {image: x, environment: {PORT: \"${PORT:-1}\"}}}\n");
  host.write(".env", "A=1\nPORT=5\nLIMIT=9\n");
  host.write(".env.example", "A=1\n");
  host.write("envs/db/a.env.example", "PORT=1\nLIMIT=1\n");
  host.write("envs/b.env.example", "LIMIT=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(detail("PORT"),
                       "now in envs/db/a.env.example, but the compose files take it "
                       "from .env: it must stay here"))
      << detail("PORT");
  EXPECT_TRUE(contains(detail("LIMIT"), "now in envs/b.env.example and 1 more")) << detail("LIMIT");
  EXPECT_TRUE(contains(detail(".env"), "2 have moved to other templates"));
  set("/also", nlohmann::json::array());
  ASSERT_TRUE(step("plan").ok());
  EXPECT_FALSE(contains(detail("PORT"), "now in"));
}

// --- base ----------------------------------------------------------------------------------------
class Git : public EnvSyncStage {
 protected:
  void SetUp() override {
    if (!in_path("git")) GTEST_SKIP() << "git is not installed";
    repository_ = host.deployment_dir();
    host.deployment(made("docker"));
    host.run_real_processes();
    git({"init", "--quiet"});
    commit("1.0", "A=1\nB=1\n");
    commit("2.0", "A=1\nB=2\n");
    host.write(".env", "A=mine\nB=1\n");
    host.write(".env.example", "A=1\nB=3\n");
  }
  std::string made(const std::string& name) const {
    fs::create_directory(repository_ + "/" + name);
    return repository_ + "/" + name;
  }
  void git(std::vector<std::string> words) const {
    words.insert(words.begin(), {"git", "-c", "user.name=x", "-c", "user.email=x@example.org"});
    const testing::Result result = testing::execute({words, {}, repository_}, -1);
    ASSERT_EQ(result.code, 0) << result.err;
  }
  void commit(const std::string& tag, const std::string& text) const {
    host.write(".env.example", text);
    git({"add", "--all"});
    git({"commit", "--quiet", "--message", tag});
    git({"tag", tag});
  }
  void runs(const std::string& services) {
    host.write("model.json", "{\"services\": " + services + "}");
    host.model_before = at("model.json");
  }
  std::string repository_;
};

TEST_F(Git, TakesTheTagOfWhatRuns) {
  runs(R"({"api": {"image": "x/api:1.0"}, "worker": {"image": "x/api:1.0@sha256:0"},
           "other": {"image": "reg:5000/other:2.0"}, "db": {"image": "postgres:15"}})");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(detail(".env"), "base 1.0 (git tag of what runs): 1 of 2 match"))
      << detail(".env");
  EXPECT_EQ(change("B")->after, "3");
  base("A=1\nB=2\n");  // what was there when the last run ended knows better
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(detail(".env"), "base .env.example of the last snapshot: 0 of 2 match"));
}

TEST_F(Git, ChangesNothingWhereNoTagIsKnown) {
  runs(R"({"api": {"image": "x/api:9.9"}, "web": {"image": "reg:5000/web"}})");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(detail(".env"), "base none")) << detail(".env");
  EXPECT_EQ(change("B")->after, "1");
}

TEST_F(Git, TakesAFileOfACommit) {
  for (const char* named : {"git:1.0:.env.example", "git:1.0:docker/.env.example", "git:1.0"}) {
    host.option("/base", named);
    ASSERT_TRUE(step("plan").ok()) << named;
    EXPECT_TRUE(contains(detail(".env"), "base 1.0 (git): 1 of 2 match"))
        << named << detail(".env");
  }
  host.option("/base", "git:1.0:nothing");
  EXPECT_TRUE(contains(refusal(), "1.0 has no file nothing"));
  host.option("/base", "git:7.7:.env.example");
  EXPECT_TRUE(contains(refusal(), "git knows no 7.7 here"));
  host.option("/base", "git:--output=x:y");
  EXPECT_TRUE(contains(refusal(), "names no commit"));
}

// --- what becomes of variables -------------------------------------------------------------------
TEST_F(Options, CarriesAValueToANewName) {
  set("/renames", {{"OLD", "NEW"}, {"OLD_URL", "NEW_URL"}});
  base("OLD=1\nOLD_URL=u\nX=1\n");
  host.write(".env", "OLD='my value' # mine\nOLD_URL=u\nREFERS=${OLD}!\nX=1\n");
  host.write(".env.example", "NEW=1\nNEW_URL=v\nX=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(change("NEW")->after, "my value");
  EXPECT_TRUE(contains(detail("NEW"), "your value of OLD, which has this name now"));
  const std::string merged = run();
  EXPECT_TRUE(contains(merged, "NEW='my value' # mine\n")) << merged;
  EXPECT_TRUE(contains(merged, "NEW_URL=v\n")) << merged;  // never touched: the new default
  EXPECT_FALSE(contains(merged, "OLD_URL")) << merged;
  EXPECT_TRUE(contains(merged, "OLD='my value' # mine\n")) << "REFERS needs it: " << merged;
  EXPECT_EQ(run(), merged);
}

TEST_F(Options, RemovesWhatNobodyTouchedOnlyIfAsked) {
  const std::string mine = "A=1\nGONE=1\nDB_GONE=1\nGONE_TOO=mine\nOWN=1\n";
  base("A=1\nGONE=1\nDB_GONE=1\nGONE_TOO=1\n");
  host.write(".env.example", "A=1\n");
  const auto with = [&](const char* removed) {
    host.write(".env", mine);
    host.option("/removed", removed);
    return run();
  };
  const std::string heading = "A=1\n\n# Kept from your .env: not in the new template\n";
  EXPECT_EQ(with("keep"), heading + "GONE=1\nDB_GONE=1\nGONE_TOO=mine\nOWN=1\n");
  EXPECT_EQ(with("drop-untouched"), heading + "DB_GONE=1\nGONE_TOO=mine\nOWN=1\n");
  const std::string commented = with("comment");
  EXPECT_EQ(commented, heading +
                           "DB_GONE=1\nGONE_TOO=mine\nOWN=1\n"
                           "# Kept from your .env: comments\n# GONE=1\n");
  EXPECT_EQ(run(), commented);
  host.write(".env", "A=1\r\nGONE=1\r\nDB_GONE=1\r\nGONE_TOO=mine\r\nOWN=1\r\n");
  const std::string with_returns = run();
  EXPECT_TRUE(contains(with_returns, "\n# GONE=1\n")) << with_returns;
  EXPECT_EQ(run(), with_returns);
  host.write(".env", commented);
  base("A=1\n");
  EXPECT_EQ(run(), commented);
  host.option("/base", "none");
  EXPECT_EQ(run(), commented);
}

TEST_F(Options, RemovesNothingThatTheComposeFilesReferTo) {
  host.compose_files = {at("compose.yaml")};
  host.option("/proof", "own");
  host.option("/removed", "drop-untouched");
  host.write("compose.yaml", "services: {a: {image: x, mem_limit: \"${LIMIT:-1g}\"}}\n");
  base("A=1\nLIMIT=2g\nGONE=1\n");
  host.write(".env", "A=1\nLIMIT=2g\nGONE=1\n");
  host.write(".env.example", "A=1\n");
  host.write("envs/a.env.example", "LIMIT=2g\nGONE=1\n");
  EXPECT_EQ(run(), "A=1\n\n# Kept from your .env: not in the new template\nLIMIT=2g\n");
}

TEST_F(Options, WarnsOfARenameToWhatIsNowhere) {
  set("/renames", {{"OLD", "NEWW"}, {"LONG_GONE", "ELSEWHERE"}});
  host.write(".env", "OLD=1\n");
  host.write(".env.example", "NEW=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(host.log_text(), "the new template has no NEWW, so OLD keeps its name"));
  EXPECT_FALSE(contains(host.log_text(), "LONG_GONE")) << host.log_text();
}

TEST_F(Options, CountsWhatBecomesOfVariablesBeyondThoseItLists) {
  std::string mine, next;
  for (int i = 0; i < 3000; ++i) {
    mine += "OWN" + std::to_string(i) + "=1\n";
    next += "NEW" + std::to_string(i) + "=1\n";
  }
  host.write(".env", mine);
  host.write(".env.example", next);
  ASSERT_TRUE(step("plan").ok());
  ASSERT_NE(change("1000 variables"), nullptr);
  EXPECT_EQ(change("1000 variables")->action, "add");  // the less important ones
}

TEST_F(Options, CutsValuesThatNoMessageCanHold) {
  host.write(".env", "A=" + std::string(3 << 20, 'a') + "\n");
  host.write(".env.example", "A=" + std::string(3 << 20, 'b') + "\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(change("A")->before, "a… (3145728 bytes)"));
  EXPECT_LT(change("A")->before.size() + change("A")->detail.size(), 1U << 20);
}

TEST_F(Options, MakesSecretsWhereThereAreNone) {
  const auto made = [](const std::string& text, const char* key) {
    return std::string(*evaluate(EnvFile::parse(text)).find(key));
  };
  host.write(".env.example", "SECRET_KEY=\nOTHER_KEY=\nSET_KEY=public\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(detail("SECRET_KEY"), "had no value: a new secret"));
  const std::string created = run();  // there was no .env
  EXPECT_EQ(made(created, "SECRET_KEY").size(), 56U);
  EXPECT_EQ(made(created, "OTHER_KEY"), "");
  EXPECT_EQ(run(), created);

  host.write(".env", "SECRET_KEY=\nOTHER_KEY=\nSET_KEY=mine\n");
  EXPECT_EQ(made(run(), "SECRET_KEY"), "") << "nobody asked for it";
  set("/generate", {{"SECRET_KEY", "base64:42"}, {"OTHER_KEY", "hex:8"}, {"SET_KEY", "hex:8"}});
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(change("SECRET_KEY")->after, "(secret)");
  const std::string merged = run();
  EXPECT_EQ(made(merged, "SECRET_KEY").size(), 56U);
  EXPECT_EQ(made(merged, "OTHER_KEY").find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(made(merged, "OTHER_KEY").size(), 16U);
  EXPECT_EQ(made(merged, "SET_KEY"), "mine");
  EXPECT_EQ(run(), merged);

  // Unlike the old template she has set it to nothing: that is a value, too.
  base("SECRET_KEY=public\n");
  host.write(".env", "SECRET_KEY=\n");
  host.write(".env.example", "SECRET_KEY=\n");
  EXPECT_EQ(made(run(), "SECRET_KEY"), "");
}

TEST_F(Options, RequiresValues) {
  set("/require", {"A", "B", "C"});
  host.write(".env", "A=1\nB=\n");
  host.write(".env.example", "A=1\nB=1\n");
  EXPECT_TRUE(contains(refusal(), "without a value in the merged .env: B, C")) << refusal();
  EXPECT_EQ(host.read(".env"), "A=1\nB=\n");
}

// --- what the plan tells -------------------------------------------------------------------------
TEST(Difference, HasAKind) {
  const auto kind = [](const char* name, const char* before, const char* after) {
    return kind_of_difference(name, before, after);
  };
  EXPECT_EQ(kind("A", "1", ""), "emptied");
  EXPECT_EQ(kind("A", "", "1"), "set");
  EXPECT_EQ(kind("A", "9", "10"), "number up");
  EXPECT_EQ(kind("A", "1.5", "1.25"), "number down");
  EXPECT_EQ(kind("A", "007", "7"), "");
  EXPECT_EQ(kind("A", "true", "False"), "boolean");
  EXPECT_EQ(kind("A", "true", "TRUE"), "");
  EXPECT_EQ(kind("A", "http://a", "https://a"), "URL");
  EXPECT_EQ(kind("A", "redis://a/0", "none"), "URL");
  EXPECT_EQ(kind("A", "/var/a", "./b"), "path");
  EXPECT_EQ(kind("DB_PORT", "5432", "5433"), "port");
  EXPECT_EQ(kind("EXPOSE_PORT", "80", "127.0.0.1:80"), "port");
  EXPECT_EQ(kind("A", "128MB", "1G"), "size up");
  EXPECT_EQ(kind("A", "100M", "50m"), "size down");
  EXPECT_EQ(kind("A", "1024m", "1g"), "");
  EXPECT_EQ(kind("A", "30s", "2h"), "duration up");
  EXPECT_EQ(kind("A", "60s", "60000ms"), "");
  EXPECT_EQ(kind("READ_TIMEOUT", "60", "30"), "duration down");
  EXPECT_EQ(kind("READ_TIMEOUT", "90s", "1m"), "duration down");
  EXPECT_EQ(kind("A", "debug", "info"), "text");
}

TEST_F(Options, TellsEachDifferenceTheMostImportantFirst) {
  base("SAME=1\nLIMIT=10\nSIZE=5M\nURL=http://a\nDB_PASSWORD=difyai\nCONFLICT=1\nNEWER=5\n");
  host.write(".env",
             "SAME=1\nLIMIT=99\nSIZE=9M\nURL=http://b\nDB_PASSWORD=difyai\nCONFLICT=2\n"
             "NEWER=5\n");
  host.write(".env.example",
             "SAME=1\nLIMIT=10\nSIZE=5M\nURL=http://a\nDB_PASSWORD=difyai\nCONFLICT=3\nNEWER=6\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(detail("NEWER"), "number up; never touched: follows the new default");
  EXPECT_EQ(detail("CONFLICT"),
            "your value; the template changed its own too; the template has 3 "
            "(number up)");
  EXPECT_EQ(detail("SIZE"), "your value; the template has 5M (size down)");
  EXPECT_EQ(detail("DB_PASSWORD"), "everybody knows it: it is the template's default");
  EXPECT_EQ(change("DB_PASSWORD")->after, "(secret)");
  EXPECT_TRUE(contains(detail(".env"),
                       "2 unchanged, 3 kept, 1 adopted, 1 in conflict; base "
                       ".env.example of the last snapshot: 3 of 7 match; 1 secret "
                       "is the template's default"))
      << detail(".env");
  std::vector<std::string> order;
  for (const Change& each : host.changes) order.push_back(each.name);
  EXPECT_EQ(order, (std::vector<std::string>{".env", "CONFLICT", "NEWER", "LIMIT", "SIZE", "URL",
                                             "DB_PASSWORD"}));
}

TEST_F(Options, ExplainsOneVariable) {
  base("A=1\nB=1\n");
  host.write(".env", "# x\nA=2\n#B=1\n");
  host.write(".env.example", "B=1\nA=3\n");
  host.write("envs/a.env.example", "A=1\n");
  host.option("/explain", "A");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(change("A")->action, "keep");
  EXPECT_TRUE(contains(detail("A"), "your value; the template changed its own too"));
  EXPECT_EQ(change("A in .env")->after, "2");
  EXPECT_EQ(detail("A in .env"), "line 2");
  EXPECT_EQ(change("A in the old template (.env.example of the last snapshot)")->after, "1");
  EXPECT_EQ(change("A in the new template")->after, "3");
  EXPECT_EQ(detail("A in the new template"), "line 2");
  EXPECT_NE(change("A in envs/a.env.example"), nullptr);
  EXPECT_EQ(change(".env"), nullptr);
  host.option("/explain", "B");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(detail("B in .env"), "commented out");
  EXPECT_TRUE(contains(step("run").failure, "leave it out to run the stage"));
  host.option("/explain", "NOPE");
  const auto planned = step("plan");
  EXPECT_TRUE(contains(planned.failure, "has a variable NOPE")) << planned.failure;
}

// --- bad input -----------------------------------------------------------------------------------
TEST_F(Options, RefusesWhatIsNoEnvFileAndLeavesBothFiles) {
  struct Bad {
    const char* what;
    std::string text;
    const char* says;
  };
  const std::string utf16("A\0=\0001\0\n\0", 8);
  const std::vector<Bad> all = {
      {"a Latin-1 key", "caf\xe9=1\n", "line 1"},
      {"UTF-16", "\xff\xfe" + utf16, "line 1"},
      {"UTF-16, big-endian", std::string("\xfe\xff\0A\0=\0001\0\n", 10), "line 1"},
      {"NUL", std::string("A=x\0y\n", 6), "line 1"},
      {"a second byte order mark",
       "\xef\xbb\xbf\xef\xbb\xbf"
       "A=1\n",
       "line 1"},
      {"a key with a space", "A=1\nB C=1\n", "line 2"},
      {"an open quote", "A=1\nB=\"x\nC=1\n", "line 2"},
      {"no key", "A=1\n=x\n", "line 2"},
      {"a key alone at the end", "A=1\nB", "line 2"},
      {"a broken brace", "A=1\nB=${A\n", "line 2"},
      {"a required variable", "A=1\nB=${X:?please}\n", "line 2"},
      {"HTML", "<!DOCTYPE html>\n<html>\n", "line 1"},
  };
  for (const bool in_template : {false, true}) {
    for (const Bad& bad : all) {
      SCOPED_TRACE(bad.what);
      const std::string ours = in_template ? "A=1\n" : bad.text;
      const std::string theirs = in_template ? bad.text : "A=1\n";
      host.write(".env", ours);
      host.write(".env.example", theirs);
      const std::string said = refusal();
      EXPECT_TRUE(contains(said, in_template ? "the new template, " : "the .env, ")) << said;
      EXPECT_TRUE(contains(said, bad.says)) << said;
      EXPECT_EQ(host.read(".env"), ours);
      EXPECT_EQ(host.read(".env.example"), theirs);
      EXPECT_FALSE(host.exists("env-backup"));
    }
  }
}

TEST_F(Options, KeepsLatin1ValuesAsTheyAre) {
  host.write(".env", "A=caf\xe9\n");
  host.write(".env.example", "A=1\nB=na\xefve\n");
  EXPECT_EQ(run(), "A=caf\xe9\nB=na\xefve\n");
}

TEST_F(Options, RefusesATemplateThatWasCutOff) {
  base("A=1\nLONG_NAME=long value\n");
  host.write(".env", "A=1\nLONG_NAME=long value\n");
  host.write(".env.example", "A=1\nLONG_NAME=long v");
  EXPECT_TRUE(contains(refusal(), "ends in the middle of a line"));
  host.write(".env.example", "A=1\nLONG_NAME=long value\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.log_text().find("cut short"), std::string::npos);
  base("A=1\nB=1\nC=1\n");  // at a line's end: it may be meant
  host.write(".env.example", "A=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(host.log_text(), "lacks 2 of the 3 variables")) << host.log_text();
}

TEST_F(Options, TakesATemplateWithoutItsLastLineEndWhereNothingIsMissing) {
  base("A=1\nB=1\n");
  host.write(".env", "A=1\nB=1\n");
  host.write(".env.example", "A=1\nB=1\nNEW=value");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(contains(host.log_text(), "ends in the middle of a line; is it cut short?"));
  EXPECT_EQ(run(), "A=1\nB=1\nNEW=value");
  for (const char* cut : {"A=1\nNEW=value", "A=1\nB="}) {
    host.write(".env.example", cut);
    EXPECT_TRUE(contains(refusal(), "ends in the middle of a line")) << cut;
  }
}

// Else a template would end, for whoever counts its variables, at the first that needs HOME.
TEST_F(Options, TemplatesMayNeedWhatComposesEnvironmentHas) {
  base("DIR=${HOME:?}\nA=1\nB=1\n");
  host.write(".env", "DIR=${HOME:?}\nA=1\nB=1\n");
  host.write(".env.example", "DIR=${HOME:?}\nA=1\nB=1\nNEW=value");
  EXPECT_EQ(run(), "DIR=${HOME:?}\nA=1\nB=1\nNEW=value");
  host.write(".env.example", "DIR=${HOME:?}\nA=1\n");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(host.log_text().find("cut short"), std::string::npos) << host.log_text();
}

TEST_F(Options, NamesTheOneOfSeveralTemplatesThatCannotBeRead) {
  set("/template", {".env.example", "parts/*.example"});
  host.write(".env", "A=1\n");
  host.write(".env.example", "A=1\n");
  host.write("parts/b.example", "B=1\nC=\"open\n");
  EXPECT_TRUE(contains(refusal(),
                       "the new template, parts/b.example, line 2: the quoted value of C does not "
                       "end"));
}

TEST_F(Dify, RefusesATemplateThatWasCutOffWhereNoOldOneIsKnown) {
  host.write(".env", of_release("1.13.0"));
  const std::string whole = of_release("1.14.0");
  host.write(".env.example", whole.substr(0, whole.find("\nDB_USERNAME=") + 15));
  EXPECT_TRUE(contains(refusal(), "ends in the middle of a line"));
  host.write(".env.example", whole.substr(0, whole.size() - 1));  // only its last line end
  EXPECT_TRUE(step("plan").ok());
}

TEST_F(Options, RefusesAHundredMegabytes) {
  std::ofstream(at(".env.example")) << "A=1\n";
  std::ofstream(at(".env")) << "A=1\n";
  fs::resize_file(at(".env"), 100 * 1000 * 1000);
  const std::string said = refusal();
  EXPECT_TRUE(contains(said, "/.env: it has more than the 67108864")) << said;
  EXPECT_EQ(fs::file_size(at(".env")), 100 * 1000 * 1000U);
}

TEST_F(Options, LeavesAFileThatSomebodyChangesMeanwhile) {
  host.write(".env", "A=1\nB=1\n");
  host.write(".env.example", "A=1\nB=1\nC=1\n");
  host.compose_files = {at("compose.yaml")};
  host.write("compose.yaml", "services: {}\n");
  if (!in_path("docker")) GTEST_SKIP() << "nothing runs while files are merged without docker";
  host.on_process([this](const Process&) {
    host.write(".env", "A=theirs\n");  // while Compose is asked
    testing::Result result;
    result.out = R"({"services": {"a": {}}, "x-drydock-probe": {"A": "1", "B": "1", "C": "1"}})";
    return result;
  });
  const auto ran = step("run");
  EXPECT_TRUE(contains(ran.failure, "was changed by somebody else while it was merged"));
  ASSERT_TRUE(step("rollback").ok());
  EXPECT_EQ(host.read(".env"), "A=theirs\n");
  EXPECT_EQ(host.read(".env.example"), "A=1\nB=1\nC=1\n");
}

}  // namespace
}  // namespace drydock::env_sync
