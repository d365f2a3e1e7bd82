// The three-way merge: each row of its table, what ties variables together, and that nothing of the
// operator's is ever lost.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>

#include "env_sync_defaults.h"
#include "merge.h"
#include "services.h"
#include "variable_names.h"

namespace drydock::env_sync {
namespace {

Merge merge(const std::optional<std::string>& base, const std::string& ours,
            const std::string& theirs, const MergeOptions& options = default_options()) {
  const EnvFile base_file = EnvFile::parse(base.value_or(""));
  return merge_env(base ? &base_file : nullptr, EnvFile::parse(ours), EnvFile::parse(theirs),
                   options);
}

const MergedVariable& variable(const Merge& merge, const std::string& key) {
  const auto found = std::find_if(merge.variables.begin(), merge.variables.end(),
                                  [&](const auto& each) { return each.key == key; });
  if (found == merge.variables.end()) throw std::runtime_error("no variable " + key);
  return *found;
}
Decision decision(const Merge& merge, const std::string& key) {
  return variable(merge, key).decision;
}

TEST(EnvMerge, FollowsTheTable) {
  const Merge result = merge(
      "SAME=1\nCUSTOM=1\nADOPT=1\nCONVERGED=1\nCONFLICT=1\nGONE=1\nGONE_CUSTOM=1\nDELETED=1\n",
      "SAME=1\nCUSTOM=me\nADOPT=1\nCONVERGED=2\nCONFLICT=me\nGONE=1\nGONE_CUSTOM=me\n"
      "HAD=me\nOWN=me\n",
      "# new\nSAME=1\nCUSTOM=1\nADOPT=2\nCONVERGED=2\nCONFLICT=2\nDELETED=1\nADDED=1\nHAD=1\n");
  EXPECT_EQ(decision(result, "SAME"), Decision::unchanged);
  EXPECT_EQ(decision(result, "CUSTOM"), Decision::custom);
  EXPECT_EQ(decision(result, "ADOPT"), Decision::adopted);
  EXPECT_EQ(decision(result, "CONVERGED"), Decision::converged);
  EXPECT_EQ(decision(result, "CONFLICT"), Decision::conflict);
  EXPECT_EQ(decision(result, "GONE"), Decision::removed_untouched);
  EXPECT_EQ(decision(result, "GONE_CUSTOM"), Decision::removed_custom);
  EXPECT_EQ(decision(result, "DELETED"), Decision::restored);
  EXPECT_EQ(decision(result, "ADDED"), Decision::added);
  EXPECT_EQ(decision(result, "HAD"), Decision::had_already);
  EXPECT_EQ(decision(result, "OWN"), Decision::own);
  EXPECT_EQ(result.matching, 3U);  // SAME, ADOPT, GONE
  EXPECT_EQ(*result.text,
            "# new\nSAME=1\nCUSTOM=me\nADOPT=2\nCONVERGED=2\nCONFLICT=me\nDELETED=1\nADDED=1\n"
            "HAD=me\n\n# Kept from your .env: not in the new template\nGONE=1\nGONE_CUSTOM=me\n"
            "OWN=me\n");
}

TEST(EnvMerge, ChangesNothingEffectiveWithoutABase) {
  const Merge result = merge(std::nullopt, "A=old\nMODE=x\nX=${A}\n", "A=new\nX=${A}\nB=1\n");
  EXPECT_EQ(decision(result, "A"), Decision::unproven);
  EXPECT_EQ(decision(result, "B"), Decision::added);
  EXPECT_EQ(*variable(result, "X").result, "old");
  EXPECT_EQ(*result.text,
            "A=old\nX=${A}\nB=1\n\n# Kept from your .env: not in the new template\nMODE=x\n");
}

TEST(EnvMerge, KeepsBytesQuotesExportsAndCommentsOfTheOperator) {
  const std::string base = "# about A\nA=1\nB=1\nC=1\nD=1\n";
  const Merge result = merge(base,
                             "# about A\n# mine\nexport A='x y' # why\nB: \"two\nlines\"\n"
                             "C=1 # do not touch\nD=1\n# own\nOWN=a\\b\n# end\n",
                             base);
  EXPECT_EQ(*result.text,
            "# about A\n# mine\nexport A='x y' # why\nB: \"two\nlines\"\nC=1 # do not touch\nD=1\n"
            "\n# Kept from your .env: not in the new template\n# own\nOWN=a\\b\n"
            "# Kept from your .env: comments\n# end\n");
}

TEST(EnvMerge, NeverReplacesIdentityCredentialsAndStateByItself) {
  const std::string base = "SECRET_KEY=public\nDB_HOST=a\nX_VOLUME=./v\nPLAIN=1\nAPP_API_KEY=k\n";
  const std::string next = "SECRET_KEY=\nDB_HOST=b\nX_VOLUME=./w\nPLAIN=2\nAPP_API_KEY=l\n";
  Merge result = merge(base, base, next);
  for (const char* key : {"SECRET_KEY", "DB_HOST", "X_VOLUME", "APP_API_KEY"}) {
    EXPECT_EQ(decision(result, key), Decision::kept_sticky) << key;
    EXPECT_EQ(variable(result, key).result, variable(result, key).ours) << key;
  }
  EXPECT_EQ(decision(result, "PLAIN"), Decision::adopted);

  MergeOptions options = default_options();
  options.defaults = Defaults::keep;
  EXPECT_EQ(*merge(base, base, next, options).text, base);
  options.defaults = Defaults::adopt;
  EXPECT_EQ(*merge(base, base, next, options).text, next);
}

TEST(EnvMerge, CommentsOutWhatTheTemplateDoes) {
  const std::string base = "A=1\nBOX=your-box\nZ=1\n";
  const std::string next = "A=1\n# do not enable\n#BOX=your-box\nZ=1\n";
  const Merge untouched = merge(base, base, next);
  EXPECT_EQ(decision(untouched, "BOX"), Decision::commented_out);
  EXPECT_EQ(*untouched.text, next);
  const Merge custom = merge(base, "A=1\nBOX=mine\nZ=1\n", next);
  EXPECT_EQ(decision(custom, "BOX"), Decision::removed_custom);
  EXPECT_EQ(*custom.text, "A=1\n# do not enable\n#BOX=your-box\nBOX=mine\nZ=1\n");
}

TEST(EnvMerge, LeavesCommentedWhatTheOperatorCommentedOut) {
  const Merge result = merge("A=1\nB=1\n", "# A=1\nB=1\n", "A=2\nB=1\n");
  EXPECT_EQ(decision(result, "A"), Decision::stays_commented);
  EXPECT_EQ(*result.text, "# A=1\nB=1\n");
  // Commented in the old template already: that was not her decision.
  EXPECT_EQ(decision(merge("#A=1\nB=1\n", "#A=1\nB=1\n", "A=2\nB=1\n"), "A"), Decision::added);
}

TEST(EnvMerge, AdoptsLinkedVariablesTogetherOrNotAtAll) {
  const std::string base = "COMPOSE_PROFILES=w\nENABLE_COLLABORATION_MODE=false\n";
  const std::string next = "COMPOSE_PROFILES=w,collaboration\nENABLE_COLLABORATION_MODE=true\n";
  EXPECT_EQ(*merge(base, base, next).text, next);
  const Merge held = merge(base, "COMPOSE_PROFILES=q\nENABLE_COLLABORATION_MODE=false\n", next);
  EXPECT_EQ(decision(held, "COMPOSE_PROFILES"), Decision::conflict);
  EXPECT_EQ(decision(held, "ENABLE_COLLABORATION_MODE"), Decision::kept_linked);
  EXPECT_EQ(variable(held, "ENABLE_COLLABORATION_MODE").because, "COMPOSE_PROFILES");
}

TEST(EnvMerge, KeepsWhatTheOperatorsLinesReferTo) {
  const Merge result = merge("A=1\nU=1\n", "A=1\nU=${A}/mine\n", "A=2\nU=1\n");
  EXPECT_EQ(decision(result, "A"), Decision::kept_linked);
  EXPECT_EQ(*variable(result, "U").result, "1/mine");
  EXPECT_NE(result.text->find("U=${A}/mine"), std::string::npos);
}

TEST(EnvMerge, SaysWhatFollowsFromAnAdoptedDefault) {
  const std::string base = "STORE=a\nPROFILES=${STORE},db\n";
  const Merge result = merge(base, base, "STORE=b\nPROFILES=${STORE},db\n");
  EXPECT_EQ(decision(result, "PROFILES"), Decision::derived);
  EXPECT_EQ(variable(result, "PROFILES").because, "STORE");
  EXPECT_EQ(*variable(result, "PROFILES").result, "b,db");
}

TEST(EnvMerge, AdoptsANewReferenceWithTheOperatorsValues) {
  const Merge result = merge("VECTOR_STORE=weaviate\nCOMPOSE_PROFILES=${VECTOR_STORE:-weaviate}\n",
                             "VECTOR_STORE=qdrant\nCOMPOSE_PROFILES=${VECTOR_STORE:-weaviate}\n",
                             "VECTOR_STORE=weaviate\nDB_TYPE=postgresql\n"
                             "COMPOSE_PROFILES=${VECTOR_STORE:-weaviate},${DB_TYPE:-postgresql}\n");
  EXPECT_EQ(*variable(result, "COMPOSE_PROFILES").result, "qdrant,postgresql");
}

TEST(EnvMerge, PutsWhatIsReferredToAboveAndWhatMovedBelow) {
  const Merge head = merge(std::nullopt, "MY=h\nURL=http://${MY}/\n", "URL=http://x/\n");
  EXPECT_EQ(*variable(head, "URL").result, "http://h/");
  EXPECT_EQ(
      head.text->find("# Kept from your .env: not in the new template, but referred to below"), 0U);
  const std::string mine = "B=1\nA=${B}2\nOWN=$A\n", next = "A=0\nB=0\n";
  const Merge moved = merge(std::nullopt, mine, next);
  EXPECT_EQ(*moved.text,
            "B=1\n\n# Kept from your .env: below what they refer to\nA=${B}2\nOWN=$A\n");
  EXPECT_FALSE(variable(moved, "A").frozen);
  for (const std::optional<std::string>& base : {std::optional<std::string>(), {next}}) {
    EXPECT_EQ(*merge(base, *moved.text, next).text, *moved.text);
  }
  const Merge needed = merge(std::nullopt, "B=1\nA=${B:?}2\n", next);
  EXPECT_EQ(*needed.text, "B=1\n\n# Kept from your .env: below what they refer to\nA=${B:?}2\n");
  // What the template refers to must stand where the template has it.
  const Merge frozen = merge(std::nullopt, "B=1\nA=${B}2\n", "A=0\nC=$A\nB=0\n");
  EXPECT_TRUE(variable(frozen, "A").frozen);
  EXPECT_EQ(*frozen.text, "A=12\nC=$A\nB=1\n");
}

// What stands below a line is not there yet when Compose reads it.
TEST(EnvMerge, LeavesWhatIsReferredToTooEarlyWhereItIs) {
  const std::string base = "K=$LATER/x\nA=1\nLATER=1\n";
  const Merge result = merge(base, "K=$LATER/x\nA=1\nLATER=mine\n", "K=$LATER/x\nA=1\n");
  EXPECT_EQ(*result.text,
            "K=$LATER/x\nA=1\n\n# Kept from your .env: not in the new template\nLATER=mine\n");
  EXPECT_FALSE(variable(result, "K").frozen);
  // It holds back no new default either.
  const Merge follows = merge("A=1\n", "OWN=${A:-d}\nA=1\n", "A=2\n");
  EXPECT_EQ(decision(follows, "A"), Decision::adopted);
  EXPECT_EQ(*merge("A=1\n", *follows.text, "A=2\n").text, *follows.text);
}

TEST(EnvMerge, KeepsAllLinesOfAVariableThatGoesOnFromItself) {
  const std::string mine = "LIST=a\nLIST=${LIST:?},b\nLIST=${LIST},c # all\n";
  const Merge result = merge("LIST=a\nX=1\n", mine + "X=1\n", "X=2\nLIST=a\n");
  EXPECT_EQ(*result.text, "X=2\n" + mine);
  EXPECT_EQ(*variable(result, "LIST").result, "a,b,c");
  EXPECT_FALSE(variable(result, "LIST").frozen);
}

TEST(EnvMerge, KeepsAReferenceOfHersWhoseValueIsTheTemplates) {
  EXPECT_EQ(*merge(std::nullopt, "HOST=h\nURL=http://$HOST\n", "HOST=h\nURL=http://h\n").text,
            "HOST=h\nURL=http://$HOST\n");
  EXPECT_EQ(
      *merge("HOST=h\nURL=http://x\n", "HOST=h\nURL=http://$HOST\n", "HOST=h\nURL=http://h\n").text,
      "HOST=h\nURL=http://$HOST\n");
  // What it refers to stays, so that it means the same.
  const Merge held =
      merge("HOST=h\nURL=http://h\n", "HOST=h\nURL=http://$HOST\n", "HOST=new\nURL=http://h\n");
  EXPECT_EQ(*held.text, "HOST=h\nURL=http://$HOST\n");
  EXPECT_EQ(decision(held, "HOST"), Decision::kept_linked);
  // One that the old template had follows the new one.
  EXPECT_EQ(*merge("A=h\nB=$A\n", "A=h\nB=$A\n", "A=h\nB=h\n").text, "A=h\nB=h\n");
}

TEST(EnvMerge, LosesNoCommentBehindAValue) {
  // The value stays, and so does her line.
  EXPECT_EQ(*merge("A=1\n", "A=1 # mine\n", "A=\"1\"\n").text, "A=1 # mine\n");
  EXPECT_EQ(*merge(std::nullopt, "A=1 # mine\n", "A=1\n").text, "A=1 # mine\n");
  EXPECT_EQ(*merge("A=1 # old\n", "A=1 # old\n", "A=1 # new\n").text, "A=1 # new\n");
  // The value goes: it becomes a comment above.
  const Merge adopted = merge("A=1\n", "A='1' # mine\n", "A=2\n");
  EXPECT_EQ(*adopted.text, "# mine\nA=2\n");
  EXPECT_EQ(*merge("A=2\n", *adopted.text, "A=2\n").text, *adopted.text);
  EXPECT_EQ(*merge("A=1 # old\n", "A=1 # old\n", "A=2\n").text, "A=2\n");
  EXPECT_EQ(*merge("A=1\n", "A=2 # new\n", "A=2 # new\n").text, "A=2 # new\n");
  MergeOptions options = default_options();
  options.removed = Removed::drop_untouched;
  EXPECT_EQ(*merge("A=1\nB=1\n", "A=1\nB=1 # mine\n", "A=1\n", options).text,
            "A=1\n\n# Kept from your .env: comments\n# mine\n");
}

TEST(EnvMerge, KeepsCommentedOutWhatWasExportedOrSpaced) {
  for (const char* line : {"export A=1", "A = 1", " export A=1"}) {
    const std::string base = std::string(line).substr(line[0] == ' ' ? 1 : 0) + "\nB=1\n";
    const std::string ours = "#" + std::string(line) + "\nB=1\n";
    const Merge result = merge(base, ours, base);
    EXPECT_EQ(decision(result, "A"), Decision::stays_commented) << line;
    EXPECT_EQ(*result.text, ours);
  }
}

TEST(EnvMerge, TellsAnExampleOfTheTemplateFromWhatSheCommentedOut) {
  const std::string next = "# DB=mysql\nDB=sqlite\n";
  const Merge mine = merge(next, "# DB=mysql\n#DB=sqlite\n", next);
  EXPECT_EQ(decision(mine, "DB"), Decision::stays_commented);
  EXPECT_EQ(*mine.text, "# DB=mysql\n#DB=sqlite\n");
  EXPECT_EQ(decision(merge(next, "# DB=mysql\n", next), "DB"), Decision::restored);
  EXPECT_EQ(decision(merge("# A=x\n", "# A=x\n", "A=1\n"), "A"), Decision::added);
}

TEST(EnvMerge, KeepsWhatTheComposeFilesReferTo) {
  MergeOptions options = default_options();
  options.interpolated = {"LIMIT"};
  for (const Removed removed : {Removed::comment, Removed::drop_untouched}) {
    options.removed = removed;
    const Merge result = merge("A=1\nLIMIT=1\n", "A=1\nLIMIT=1\n", "A=1\n", options);
    EXPECT_EQ(decision(result, "LIMIT"), Decision::removed_untouched);
    EXPECT_EQ(*variable(result, "LIMIT").result, "1");
  }
}

TEST(EnvMerge, ReadsWhatValuesReferToInTheEnvironment) {
  MergeOptions options = default_options();
  options.environment = [](std::string_view name) {
    return name == "HOME" ? std::optional<std::string>("/home/me") : std::nullopt;
  };
  const Merge result =
      merge("A=1\nHOME=x\n", "DATA=${HOME:?}/data\nA=1\nHOME=mine\n", "A=2\nHOME=x\n", options);
  EXPECT_EQ(*variable(result, "DATA").result, "/home/me/data");
  EXPECT_EQ(*variable(result, "HOME").result, "mine");
  EXPECT_FALSE(variable(result, "DATA").frozen);
  EXPECT_NE(result.text->find("DATA=${HOME:?}/data\n"), std::string::npos);
}

TEST(EnvMerge, NeverFollowsANewDefaultOfACredentialHoweverItIsWritten) {
  for (const char* name : {"db_password", "dbPassword", "db.password", "api-key", "PASSPHRASE",
                           "BACKUP_PASSPHRASE", "SALT", "PASSWORD_SALT", "AWS_CREDENTIAL"}) {
    const std::string key(name);
    const Merge result = merge(key + "=old\n", key + "=old\n", key + "=new\n");
    EXPECT_EQ(decision(result, key), Decision::kept_sticky) << name;
    EXPECT_EQ(shown(name, "v"), "(secret)") << name;
  }
  EXPECT_EQ(shown("PEM", "-----BEGIN RSA PRIVATE KEY-----\nx\n"), "(secret)");
  for (const char* name : {"Monkey", "max_tokens", "basalt", "cache_key_prefix"}) {
    EXPECT_EQ(shown(name, "v"), "v") << name;
  }
}

TEST(EnvMerge, LetsValuesFollowAServiceThatLeft) {
  MergeOptions options = default_options();
  options.retired_services = {"db"};
  options.services = {"db_postgres", "api"};
  const std::string base = "DB_HOST=db\nURL=pg://u:p@db:5432/x\nDB_TYPE=a\nNOTE=db\n";
  const std::string next =
      "DB_HOST=db_postgres\nURL=pg://u:p@db_postgres:5432/x\nDB_TYPE=b\nNOTE=other\n";
  const Merge result = merge(base, base, next, options);
  EXPECT_TRUE(result.refusals.empty());
  EXPECT_EQ(decision(result, "DB_HOST"), Decision::followed);
  EXPECT_EQ(decision(result, "URL"), Decision::followed);
  EXPECT_EQ(decision(result, "DB_TYPE"), Decision::adopted);  // linked to DB_HOST
  EXPECT_EQ(*result.text, next);

  const Merge custom = merge("DB_HOST=other\n", "DB_HOST=db\n", next, options);
  ASSERT_EQ(custom.refusals.size(), 1U);
  EXPECT_NE(custom.refusals[0].find("its template names \"db_postgres\""), std::string::npos);
  EXPECT_EQ(merge(std::nullopt, "DB_HOST=db\n", next, options).refusals.size(), 1U);
  // A word that is no host is not taken for one.
  EXPECT_TRUE(merge(std::nullopt, "NOTE=db\n", next, options).refusals.empty());
}

// A service is often called like its image, and like its keys' prefix.
TEST(EnvMerge, TakesNoImageAndNoPrefixForAService) {
  MergeOptions options = default_options();
  options.retired_services = {"redis"};
  options.services = {"valkey"};
  for (const char* mine : {"IMAGE=redis:8", "REDIS_IMAGE=redis:8", "REDIS_TAG=redis:8",
                           "X=redis:8-alpine", "PREFIX=redis:mine:", "MOUNT=redis:/data"}) {
    const std::string line = mine;
    const std::string next = line.substr(0, line.find('=')) + "=valkey:9\n";
    const Merge result = merge(std::nullopt, line + "\n", next, options);
    EXPECT_TRUE(result.refusals.empty()) << mine << ": " << result.refusals[0];
    EXPECT_EQ(*result.text, line + "\n");
  }
  for (const char* mine : {"X=redis:6379", "X=a:1,redis:6379/0", "X=redis://:pw@redis/1"}) {
    const Merge result = merge(std::nullopt, std::string(mine) + "\n", "X=valkey:1\n", options);
    ASSERT_EQ(result.refusals.size(), 1U) << mine;
    EXPECT_NE(result.refusals[0].find("names \"valkey\": put that in its place"),
              std::string::npos);
  }
}

TEST(EnvMerge, FindsHostsInValues) {
  EXPECT_EQ(hosts_in("redis://:pw@redis:6379/1"), std::set<std::string>{"redis"});
  EXPECT_EQ(hosts_in("a:1,b:2 c"), (std::set<std::string>{"a", "b", "c"}));
  EXPECT_EQ(service_in("http://db.example.org", {"db"}, true), "");
}

TEST(EnvMerge, NamesFilesAndLinesOfWhatCannotBeRead) {
  try {
    merge(std::nullopt, "A=1\nPW=\"s3cret\n", "A=1\n");
    FAIL() << "no error";
  } catch (const MergeError& e) {
    EXPECT_STREQ(e.what(), "the .env, line 2: the quoted value of PW does not end");
  }
  EXPECT_THROW(merge("A=${\n", "A=1\n", "A=1\n"), MergeError);
  EXPECT_THROW(merge(std::nullopt, "A=1\n", "A=\"\n"), MergeError);
}

TEST(EnvMerge, MatchesNames) {
  for (const char* glob :
       {"DB_HOST", "DB_*", "*_HOST", "*", "D?_HOST", "*B*S*", "DB_HOST*", "**T"}) {
    EXPECT_TRUE(matches_any({glob}, "DB_HOST")) << glob;
  }
  for (const char* glob : {"", "DB", "HOST", "*_HOS", "?", "D?HOST", "DB_HOST?", "db_*", "*X*"}) {
    EXPECT_FALSE(matches_any({glob}, "DB_HOST")) << glob;
  }
}

TEST(EnvMerge, HidesSecrets) {
  for (const char* name : {"DB_PASSWORD", "SECRET_KEY", "X_API_KEY", "AUTH_TOKEN", "SENTRY_DSN"}) {
    EXPECT_EQ(shown(name, "v"), "(secret)") << name;
  }
  for (const char* name : {"MAX_TOKENS", "REDIS_KEY_PREFIX", "TOKEN_EXPIRE_MINUTES", "SECRET_PATH",
                           "X_PASSWORD_ENABLED"}) {
    EXPECT_EQ(shown(name, "v"), "v") << name;
  }
  EXPECT_EQ(shown("BROKER", "redis://:pw@redis/1"), "(secret)");
  EXPECT_EQ(shown("X", "QaHbTe77CtuXmsfyhR7xQaHbTe77"), "(secret)");
}

// Whatever the three files are: what the operator has is there afterwards and means the same, but
// for what is reported; and doing it again changes nothing.
TEST(EnvMerge, LosesNothingAndIsStable) {
  const auto line = rc::gen::apply(
      [](const std::string& form, const std::string& key, const std::string& value) {
        if (form == "#") return "# " + key + "=" + value + "\n";
        if (form == "comment") return "# about " + value + "\n\n";
        if (form == "$") return key + "=${" + (value.empty() ? "K2" : value) + "}-${K1:-d}\n";
        if (form == "'") return key + "='" + value + "\nmore' # c\n";
        if (form == "inherited") return key + "\n";
        return form + key + "=" + value + "\n";
      },
      rc::gen::element<std::string>("", "", "", "", "export ", "  ", "#", "comment", "$", "'",
                                    "inherited"),
      rc::gen::element<std::string>("K1", "K2", "K3", "K4", "K5", "DB_HOST", "A_PASSWORD"),
      rc::gen::element<std::string>("K1", "K2", "v", "w", "", "K5"));
  const auto text = rc::gen::map(rc::gen::container<std::vector<std::string>>(line),
                                 [](const std::vector<std::string>& lines) {
                                   std::string joined;
                                   for (const std::string& each : lines) joined += each;
                                   return joined;
                                 });
  EXPECT_TRUE(rc::check("the operator's values survive", [&] {
    const std::string ours = *text;
    const std::string theirs = *text;
    const auto base = *rc::gen::maybe(rc::gen::oneOf(text, rc::gen::just(ours)));
    const std::optional<std::string> old = base ? std::optional<std::string>(*base) : std::nullopt;
    const Merge result = merge(old, ours, theirs);

    const EnvValues before = evaluate(EnvFile::parse(ours));
    const EnvValues after = evaluate(EnvFile::parse(*result.text));
    for (const std::string_view key : before.keys()) {
      const MergedVariable& reported = variable(result, std::string(key));
      const std::string_view* was = before.find(key);
      const std::string_view* is = after.find(key);
      RC_ASSERT((is == nullptr) == !reported.result.has_value());
      if (is != nullptr) RC_ASSERT(*is == *reported.result);
      const bool may_change = reported.decision == Decision::adopted ||
                              reported.decision == Decision::derived ||
                              reported.decision == Decision::commented_out;
      if (may_change) {
        RC_ASSERT(old.has_value());
        continue;
      }
      RC_ASSERT((was == nullptr) == (is == nullptr));
      if (was != nullptr) RC_ASSERT(*was == *is);
    }
    const EnvFile next = EnvFile::parse(theirs);
    if (next.statements().size() == evaluate(next).keys().size()) {  // no key stands twice
      // A second run changes no value. It may still move the operator's own keys, where a value
      // that named one of them was frozen by the first.
      const EnvFile again = EnvFile::parse(*merge(theirs, *result.text, theirs).text);
      const EnvValues second = evaluate(again);
      for (const std::string_view key : after.keys()) {
        const std::string_view* is = after.find(key);
        const std::string_view* then = second.find(key);
        RC_ASSERT((is == nullptr) == (then == nullptr));
        if (is != nullptr) RC_ASSERT(*is == *then);
      }
    }
  }));
}

}  // namespace
}  // namespace drydock::env_sync
