#include "secrets.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "frontend.h"
#include "secret_forms.h"

namespace drydock {
namespace {

TEST(SecretNames, AreToldByTheirLastWords) {
  for (const char* name : {"DB_PASSWORD", "PGPASSWORD", "REDIS_PASSWD", "SECRET_KEY", "API_KEY",
                           "OPENAI_APIKEY", "S3_ACCESS_KEY_ID", "AUTH_TOKEN", "SENTRY_DSN",
                           "WEAVIATE_AUTHENTICATION_APIKEY_ALLOWED_KEYS", "AZURE_CONNECTION_STRING",
                           "GOOGLE_SERVICE_ACCOUNT_JSON_BASE64", "hook_webhook", "password",
                           "client-secret", "DB_PASS", "PASSWORD_SALT", "SALT"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
  for (const char* name :
       {"MAX_TOKENS", "CODE_MAX_TOKENS", "ACCESS_TOKEN_EXPIRE_MINUTES", "REDIS_KEY_PREFIX",
        "SECRET_ENABLED", "PASSWORD_FILE", "KEY_PATH", "MONKEY", "COMPASS", "TOKEN_TYPE",
        "LOG_LEVEL", "", "CHROMA_AUTH_PROVIDER", "BASALT"}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(Masker, HidesValuesInEveryForm) {
  Masker masker;
  masker.add("db", "p@ss wörd/\"1\"");
  EXPECT_EQ(masker.mask("x p@ss wörd/\"1\" y"), "x *** y");
  EXPECT_EQ(masker.mask("?q=p%40ss%20w%C3%B6rd%2F%221%22&b"), "?q=***&b");
  EXPECT_EQ(masker.mask("?q=p%40ss+w%c3%b6rd%2f%221%22"), "?q=***");
  EXPECT_EQ(masker.mask(R"({"a":"p@ss wörd/\"1\""})"), R"({"a":"***"})");
  EXPECT_TRUE(masker.contains_secret("p@ss wörd/\"1\""));
  EXPECT_FALSE(masker.contains_secret("p@ss"));
}

TEST(Masker, ShowsNamesThatADefaultPasswordIsPartOf) {
  Masker masker;
  masker.add("API_KEY", "dify-sandbox");
  masker.add("DB_PASSWORD", "postgres1");
  EXPECT_EQ(masker.mask("langgenius/dify-sandbox:0.2"), "langgenius/***:0.2");
  masker.show_names({"langgenius/dify-sandbox:0.2", "api"});
  EXPECT_EQ(masker.mask("langgenius/dify-sandbox:0.3"), "langgenius/dify-sandbox:0.3");
  EXPECT_FALSE(masker.contains_secret("langgenius/dify-sandbox:0.3"));
  EXPECT_EQ(masker.mask("API_KEY=dify-sandbox"), "API_KEY=***");
  EXPECT_EQ(masker.mask("of postgres1"), "of ***");
  masker.show_names({"postgres1"});
  masker.add("OTHER_PASSWORD", "postgres1");
  EXPECT_EQ(masker.mask("of postgres1, OTHER_PASSWORD=postgres1"),
            "of postgres1, OTHER_PASSWORD=***");
}

// It may be none, so nothing but the eye is kept from it.
TEST(Masker, HidesVariablesThatAreSecretByTheirNames) {
  Masker masker;
  masker.add_vars({{"cache_key", "production"}, {"api_token", "hunter2secret"}, {"to", "1.14.1"}},
                  "/srv/production/app");
  EXPECT_EQ(masker.mask("hunter2secret for 1.14.1 in /srv/production/app"),
            "*** for 1.14.1 in /srv/production/app");
  EXPECT_FALSE(masker.contains_secret("hunter2secret"));
  masker.add("api_token", "hunter2secret");
  EXPECT_TRUE(masker.contains_secret("hunter2secret")) << "as which it was declared as well";
}

TEST(Masker, HidesBase64WhereverItBegins) {
  Masker masker;
  masker.add("key", "hunter22");
  EXPECT_EQ(masker.mask("aHVudGVyMjI="), "***I=");          // hunter22
  EXPECT_EQ(masker.mask("dTpodW50ZXIyMg=="), "dTp***g==");  // u:hunter22 begins at the third byte
  EXPECT_EQ(masker.mask("dXNlcjpodW50ZXIyMg=="), "dXNlcjp***g==");
  masker.add("key",
             "~~~?"
             "?"
             "?>>>");
  EXPECT_EQ(masker.mask("fn5+Pz8/Pj4+ fn5-Pz8_Pj4-"), "*** ***");  // both alphabets
}

TEST(Masker, HidesShortValuesOnlyWhereTheyAreOne) {
  Masker masker;
  masker.add("PIN", "42");
  EXPECT_EQ(masker.mask("PIN=42 and 42, PIN=421, MYPIN=42"), "PIN=*** and 42, PIN=421, MYPIN=42");
}

TEST(Masker, HidesUserinfoOfAnyUrl) {
  const Masker masker;
  EXPECT_EQ(masker.mask("postgresql://u:p@ss@db:5432/x?a=b@c http://h/a@b"),
            "postgresql://***@db:5432/x?a=b@c http://h/a@b");
  EXPECT_EQ(masker.mask("see https://example.org/ and a@b"), "see https://example.org/ and a@b");
  // Whoever has typed a user has to find it again, a password nobody.
  EXPECT_EQ(masker.mask_sentence("found ssh://deploy@host, postgresql://u:p@ss@db:5432/x"),
            "found ssh://deploy@host, postgresql://u:***@db:5432/x");
}

TEST(Masker, HidesOverlappingSecretsWhole) {
  Masker masker;
  masker.add("a", "abcdefgh");
  masker.add("b", "efghijkl");
  EXPECT_EQ(masker.mask("-abcdefghijkl-"), "-***-");
}

TEST(Masker, HidesEachLineOfAKey) {
  Masker masker;
  masker.add("key", "-----BEGIN-----\r\nMIIEvQIBADAN\n-----END-----\n");
  EXPECT_EQ(masker.mask("log: MIIEvQIBADAN"), "log: ***");
}

TEST(Masker, GoesThroughJson) {
  Masker masker;
  masker.add("key", "hunter22");
  EXPECT_EQ(masker.mask(nlohmann::json::parse(R"({"hunter22": ["a hunter22", 1, null]})")).dump(),
            R"({"***":["a ***",1,null]})");
}

RC_GTEST_PROP(Masker, NeverLeavesAValue, ()) {
  const auto letters = std::string("ab1/+ %@:\n\"\\\xC3\xA4=");
  const auto values = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(rc::gen::elementOf(letters)));
  Masker masker;
  std::string text = *rc::gen::container<std::string>(rc::gen::elementOf(letters));
  for (const std::string& value : values) {
    masker.add("name", value);
    text += value + *rc::gen::container<std::string>(rc::gen::elementOf(letters));
  }
  const std::string masked = masker.mask(text);
  for (const std::string& value : values) {
    if (value.size() < 6) continue;
    for (const std::string& form : secret_forms(value)) {
      if (form.size() >= 6) RC_ASSERT(masked.find(form) == std::string::npos);
    }
  }
}

SecretSource source(SecretSource::Kind kind, std::vector<std::string> value,
                    bool optional = false) {
  return {kind, std::move(value), optional, {}};
}

class Store : public testing::Test {
 protected:
  Store() {
    folder_ = (std::filesystem::temp_directory_path() / "drydock-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) throw Error("no folder");
  }
  ~Store() override { std::filesystem::remove_all(folder_); }

  std::optional<std::string> get(SecretSource from,
                                 std::map<std::string, std::string> dotenv = {}) {
    SecretStore store({{"s", std::move(from)}},
                      std::make_shared<const Variables>(std::move(dotenv)), masker_);
    return store.get("s");
  }

  std::string folder_;
  Masker masker_;
};

TEST_F(Store, ReadsEverySource) {
  using Kind = SecretSource::Kind;
  ::setenv("DRYDOCK_TEST_SECRET", "from-env", 1);
  std::ofstream(folder_ + "/key") << "from-file\n";
  EXPECT_EQ(get(source(Kind::env, {"DRYDOCK_TEST_SECRET"})), "from-env");
  EXPECT_EQ(get(source(Kind::file, {folder_ + "/key"})), "from-file");
  EXPECT_EQ(get(source(Kind::command, {"printf", "%s\\n", "from command"})), "from command");
  EXPECT_EQ(get(source(Kind::dotenv, {"KEY"}), {{"KEY", "from-dotenv"}}), "from-dotenv");
  EXPECT_EQ(masker_.mask("from-env from-file from command from-dotenv"), "*** *** *** ***");
  ::unsetenv("DRYDOCK_TEST_SECRET");
}

TEST_F(Store, RunsACommandOnce) {
  SecretStore store(
      {{"s", source(SecretSource::Kind::command, {"mkdir", "-v", folder_ + "/made"})}},
      std::make_shared<const Variables>(), masker_);
  const auto first = store.get("s");
  EXPECT_EQ(store.get("s"), first);
}

TEST_F(Store, SaysWhatToDoAndNeverTheValue) {
  using Kind = SecretSource::Kind;
  const auto sentence = [&](SecretSource from) { return error_of([&] { get(std::move(from)); }); };
  EXPECT_EQ(
      sentence(source(Kind::env, {"DRYDOCK_UNSET"})),
      "The secret 's' has no value: the environment variable DRYDOCK_UNSET is not set or empty; "
      "set it, or declare the secret 'optional: true'.");
  EXPECT_EQ(get(source(Kind::env, {"DRYDOCK_UNSET"}, true)), std::nullopt);
  EXPECT_EQ(get(source(Kind::file, {folder_ + "/none"}, true)), std::nullopt);
  EXPECT_NE(sentence(source(Kind::file, {folder_})).find("is a folder"), std::string::npos);
  EXPECT_NE(sentence(source(Kind::dotenv, {"K"})).find("the key K of the deployment's .env"),
            std::string::npos);
  std::ofstream(folder_ + "/big") << std::string(65'537, 'x');
  EXPECT_NE(sentence(source(Kind::file, {folder_ + "/big"})).find("65536"), std::string::npos);
  const std::string failed = sentence(source(Kind::command, {"false", "an-argument"}));
  EXPECT_NE(failed.find("the command false failed (exit code 1"), std::string::npos);
  EXPECT_EQ(failed.find("an-argument"), std::string::npos);
}

TEST(SecretSources, GoThroughTheJournal) {
  const std::map<std::string, SecretSource> sources = {
      {"a", source(SecretSource::Kind::env, {"A"})},
      {"b", source(SecretSource::Kind::command, {"x", "y"}, true)}};
  const auto again = secret_sources_from_json(to_json(sources));
  EXPECT_EQ(to_json(again), to_json(sources));
  EXPECT_EQ(again.at("b").kind, SecretSource::Kind::command);
  EXPECT_NE(error_of([] {
              secret_sources_from_json(nlohmann::json::parse(
                  R"({"a": {"kind": "vault", "value": [], "optional": false}})"));
            }).find("does not know"),
            std::string::npos);
}

}  // namespace
}  // namespace drydock
