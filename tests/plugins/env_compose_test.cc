// Docker Compose as the judge, where it is installed: of the reader, on files that are made up, and
// of the stage, whose proof it is.
#include <rapidcheck.h>

#include <algorithm>

#include "env_sync_world.h"
#include "real_compose.h"

namespace drydock::env_sync {
namespace fs = std::filesystem;
namespace {

// One statement, or what only looks like one.
rc::Gen<std::string> piece() {
  const auto key = rc::gen::element<std::string>("A", "B", "C_1", "D", "E", "F");
  const auto part = rc::gen::element<std::string>(
      "x", "1", " ", "  ", "\t", "#", " # c", "\\", "\\n", "\\\"", "\\$", "\\\\", "\"", "'", "$",
      "$$", "$A", "${B}", "${B:-d}", "${C_1-}", "${D:+set}", "${E", "}", "{", "=", ":",
      "caf\xc3\xa9", "\xc2\xa0", "\r", "`", "\\0101", "\\t", "/", "?", "a b", "${A:-${B:?x}}",
      "${B-${D:+$E}}", "${F:?no ${A}}", "${E:-a}b}", "$${A}", "$1", "$(x)", "\\0", "\\'",
      "\xe3\x80\x80", "\xc2\x85", "\v", "\xef\xbb\xbf", "\r\n", "export ", "B=2");
  const auto value = rc::gen::map(rc::gen::container<std::vector<std::string>>(part),
                                  [](const std::vector<std::string>& parts) {
                                    std::string text;
                                    for (std::size_t i = 0; i < parts.size() && i < 6; ++i)
                                      text += parts[i];
                                    return text;
                                  });
  return rc::gen::apply(
      [](const std::string& form, const std::string& name, const std::string& text) {
        if (form == "quoted") return name + "=\"" + text + "\"\n";
        if (form == "single") return name + "='" + text + "'\n";
        if (form == "lines") return name + "=\"" + text + "\n" + text + "\"\n";
        if (form == "written") return name + "=" + write_env_value(text) + "\n";
        if (form == "beside") return name + "=\"" + text + "\"B='" + text + "'\n";
        if (form == "colon") return name + " :\t" + text + "\n";
        if (form == "dotted") return name + "." + name + "=" + text + "\n";
        if (form == "comment") return "# " + text + "\n";
        if (form == "alone") return name + "\n";
        return form + name + "=" + text + "\n";
      },
      rc::gen::element<std::string>("", "", "", "export ", "  ", "quoted", "quoted", "single",
                                    "lines", "written", "written", "comment", "alone", "beside",
                                    "colon", "dotted", "\xef\xbb\xbf", "\xc2\xa0", "export\t"),
      key, value);
}

TEST(EnvCompose, AgreesOnFilesThatAreMadeUp) {
  if (!compose_is_installed()) GTEST_SKIP() << "Docker Compose is not installed";
  RealCompose compose;
  int readable = 0, refused = 0;
  EXPECT_TRUE(rc::check("Compose reads the file in the same way, or refuses it, too", [&] {
    std::string text;
    const auto pieces = *rc::gen::resize(8, rc::gen::container<std::vector<std::string>>(piece()));
    for (const std::string& each : pieces) text += each;
    const EnvValues values = evaluate(EnvFile::parse(text));
    const std::set<std::string> keys = {"A", "B", "C_1", "D", "E", "F"};
    try {
      const ComposeView view = compose.read(text, keys);
      ++readable;
      RC_ASSERT(!values.error());
      for (const std::string& key : keys) {
        const std::string_view* here = values.find(key);
        const auto there = view.values.find(key);
        RC_ASSERT((here == nullptr) == (there == view.values.end()));
        if (here != nullptr) RC_ASSERT(std::string(*here) == there->second);
      }
    } catch (const std::runtime_error& e) {
      ++refused;
      RC_ASSERT(values.error());
      std::string said = values.error()->describe();
      said.resize(std::min(said.find_first_of("\r\n"), said.size()));  // lines end otherwise there
      RC_ASSERT(std::string(e.what()).find(said) != std::string::npos);
    }
  }));
  EXPECT_GT(readable, 0);
  EXPECT_GT(refused, 0);
}

// --- the stage's proof ---------------------------------------------------------------------------
class Proof : public EnvSyncStage {
 protected:
  void SetUp() override {
    if (!compose_is_installed()) GTEST_SKIP() << "Docker Compose is not installed";
    host.project = "sample";
    host.compose_files = {at("compose.yaml")};
    host.run_real_processes();
    host.model_before = at("model.json");
  }
  void ran_before(const std::string& services) {
    host.write("model.json", "{\"services\": {" + services + "}}");
  }
  std::size_t asked() const {
    return static_cast<std::size_t>(
        std::count_if(host.processes.begin(), host.processes.end(), [](const Process& process) {
          const auto& words = process.arguments;
          return std::find(words.begin(), words.end(), "config") != words.end();
        }));
  }
};

constexpr const char* two_databases = R"(
services:
  api: { image: "api:${TAG}", depends_on: { db_postgres: { condition: service_started, required: false } } }
  db_postgres: { image: postgres, profiles: [postgresql] }
  db_mysql: { image: mysql, profiles: [mysql] }
)";

TEST_F(Proof, AsksComposeOnceForEachFile) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {}, "db_postgres": {})");
  base("TAG=1\nCOMPOSE_PROFILES=postgresql\n");
  host.write(".env", "TAG=1\nCOMPOSE_PROFILES=postgresql\nMINE='$x'\n");
  host.write(".env.example", "TAG=2\nCOMPOSE_PROFILES=postgresql\nNEW=1\n");
  const auto planned = step("plan");
  ASSERT_TRUE(planned.ok()) << planned.failure;
  EXPECT_EQ(asked(), 2U);
  EXPECT_NE(detail(".env").find("proven by Docker Compose"), std::string::npos) << detail(".env");
  EXPECT_EQ(change("TAG")->after, "2");
  run();

  host.option("/proof", "own");
  ASSERT_TRUE(step("plan").ok());
  EXPECT_TRUE(host.processes.empty());
}

// The environment that Compose is asked in has HOME, too.
TEST_F(Proof, TakesReferencesToTheHomeFolder) {
  host.write("compose.yaml", "services: {api: {image: api, volumes: [\"${DATA}:/data\"]}}\n");
  ran_before(R"("api": {})");
  host.write(".env", "DATA=${HOME:?}/data\n");
  host.write(".env.example", "DATA=./data\nNEW=1\n");
  EXPECT_EQ(run(), "DATA=${HOME:?}/data\nNEW=1\n");
  const auto planned = step("plan");
  ASSERT_TRUE(planned.ok()) << planned.failure;
  EXPECT_EQ(change("DATA")->after, std::string(std::getenv("HOME")) + "/data");
}

TEST_F(Proof, FollowsAServiceThatLeftWithItsProfile) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {}, "db": {})");
  base("TAG=1\nDB_HOST=db\n");
  host.write(".env", "TAG=1\nDB_HOST=db\n");
  host.write(".env.example",
             "TAG=1\nDB_HOST=db_postgres\nDB_TYPE=postgresql\nCOMPOSE_PROFILES=${DB_TYPE}\n");
  const auto planned = step("plan");
  ASSERT_TRUE(planned.ok()) << planned.failure;
  EXPECT_EQ(change("DB_HOST")->after, "db_postgres");
  EXPECT_NE(detail("DB_HOST").find("named the service db, which left"), std::string::npos);
  EXPECT_NE(detail(".env").find("services that leave: db"), std::string::npos) << detail(".env");

  // The same where nobody knows what ran before.
  host.model_before.clear();
  ASSERT_TRUE(step("plan").ok());
  EXPECT_EQ(change("DB_HOST")->after, "db_postgres");
}

// The new release's files are there already, and nothing tells what ran: it may be a server.
TEST_F(Proof, WarnsOfAHostThatMayHaveBeenAService) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {}, "db_postgres": {})");
  host.write(".env", "TAG=1\nDB_HOST=db\nSMTP_HOST=mail\nCOMPOSE_PROFILES=postgresql\n");
  host.write(".env.example",
             "TAG=1\nDB_HOST=db_postgres\nSMTP_HOST=\nCOMPOSE_PROFILES=postgresql\n");
  const auto planned = step("plan");
  ASSERT_TRUE(planned.ok()) << planned.failure;
  EXPECT_NE(host.log_text().find("DB_HOST names db, and the new release has no service of that "
                                 "name; its template names db_postgres"),
            std::string::npos)
      << host.log_text();
  EXPECT_EQ(host.log_text().find("SMTP_HOST"), std::string::npos);
}

TEST_F(Proof, RefusesWhereTheOperatorMustSetAServiceHerself) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {}, "db": {})");
  base("TAG=1\nDB_HOST=old\n");
  host.write(".env", "TAG=1\nDB_HOST=db\n");
  host.write(".env.example", "TAG=1\nDB_HOST=db_postgres\nCOMPOSE_PROFILES=postgresql\n");
  const std::string said = refusal();
  EXPECT_NE(said.find("DB_HOST names the service \"db\""), std::string::npos) << said;
  EXPECT_NE(said.find("its template names \"db_postgres\": set it to that"), std::string::npos);
  EXPECT_EQ(host.read(".env"), "TAG=1\nDB_HOST=db\n");
}

TEST_F(Proof, RefusesToFollowToAServiceThatIsOff) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {}, "db": {})");
  base("TAG=1\nDB_HOST=db\nCOMPOSE_PROFILES=\n");
  host.write(".env", "TAG=1\nDB_HOST=db\nCOMPOSE_PROFILES=mysql\n");
  host.write(".env.example", "TAG=1\nDB_HOST=db_postgres\nCOMPOSE_PROFILES=postgresql\n");
  const std::string said = refusal();
  EXPECT_NE(said.find("add its profile \"postgresql\" to COMPOSE_PROFILES"), std::string::npos)
      << said;
}

TEST_F(Proof, RefusesToTurnOffWhatRuns) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {}, "db_mysql": {})");
  base("TAG=1\nCOMPOSE_PROFILES=mysql\n");
  host.write(".env", "TAG=1\nCOMPOSE_PROFILES=mysql\n");
  host.write(".env.example", "TAG=1\nCOMPOSE_PROFILES=postgresql\n");
  const std::string said = refusal();
  EXPECT_NE(said.find("the service \"db_mysql\" runs now"), std::string::npos) << said;
}

TEST_F(Proof, RefusesWhereAServiceLacksWhatItNeeds) {
  host.write("compose.yaml", R"(
services:
  api: { image: api, depends_on: [db] }
  db: { image: postgres, profiles: [database] }
)");
  ran_before(R"("api": {})");
  base("A=1\n");
  host.write(".env", "A=1\n");
  host.write(".env.example", "A=2\n");
  const std::string said = refusal();
  EXPECT_NE(said.find("the service \"api\" needs \"db\""), std::string::npos) << said;
}

TEST_F(Proof, TakesAFileThatOnlyTheNewTemplateMakesUsable) {
  host.write("compose.yaml", "services: {api: {image: \"api:${NEEDED:?must be set}\"}}\n");
  ran_before(R"("api": {})");
  host.write(".env", "A=1\n");
  host.write(".env.example", "A=1\nNEEDED=1\n");
  const auto planned = step("plan");
  ASSERT_TRUE(planned.ok()) << planned.failure;
  host.write(".env.example", "A=1\nNEEDED=\n");
  EXPECT_NE(refusal().find("must be set"), std::string::npos);
}

// The `.env` may be the merged one already, which is no old file.
TEST_F(Proof, IsTheSameAfterAnInterruption) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {})");
  base("TAG=1\n");
  host.write(".env", "TAG=1\n");
  host.write(".env.example", "TAG=2\n");
  ASSERT_TRUE(step("run").ok());
  EXPECT_EQ(host.read(".env"), "TAG=2\n");
  const auto again = step("run");
  EXPECT_TRUE(again.ok()) << again.failure;
  EXPECT_EQ(host.read(".env"), "TAG=2\n");
}

// What Compose would say when it read a file in another way than we do.
TEST_F(Proof, RefusesWhatComposeReadsDifferently) {
  host.write("compose.yaml", two_databases);
  ran_before(R"("api": {})");
  base("TAG=1\nA=1\n");
  host.write(".env", "TAG=1\nA=1\n");
  host.write(".env.example", "TAG=1\nA=2\n");
  std::string more;
  host.on_process([&](const Process& process) {
    testing::Result result = testing::execute(process, -1);
    const std::size_t at = result.out.find("\"A\": \"");
    if (at != std::string::npos) result.out.insert(at + 6, more);
    return result;
  });
  ASSERT_TRUE(step("plan").ok());
  more = "x";
  const std::string said = refusal();
  EXPECT_NE(said.find("A in the old .env is not what Docker Compose makes of it"),
            std::string::npos)
      << said;
  EXPECT_EQ(host.read(".env"), "TAG=1\nA=1\n");
}

class DifyProof : public Proof {
 protected:
  void release(const std::string& tag) {
    const fs::path from = shared_data() + "/dify/" + tag;
    fs::copy(from, host.deployment_dir(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    for (const auto& entry : fs::recursive_directory_iterator(host.deployment_dir())) {
      fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
    }
  }
  void SetUp() override {
    Proof::SetUp();
    if (!fs::exists(shared_data() + "/dify")) GTEST_SKIP() << "no dify in " << shared_data();
    host.compose_files = {at("docker-compose.yaml")};
    host.model_before.clear();
  }
  ComposeView now() {
    ComposeView view;
    const testing::Result result = testing::execute(
        {{"docker", "compose", "--file", at("docker-compose.yaml"), "config", "--format", "json"},
         {},
         host.deployment_dir()},
        -1);
    EXPECT_EQ(result.code, 0) << result.err;
    return compose_view(result.out, {"*"});
  }
};

// Before 1.13 the database was the service `db`, always on; since then it has another name and
// stands behind a profile.
TEST_F(DifyProof, AnOldEnvThatNobodyTouchedHasADatabaseIn1_14_1) {
  for (const char* tag : {"1.7.2", "1.10.0"}) {
    release(tag);
    fs::copy_file(at(".env.example"), at(".env"), fs::copy_options::overwrite_existing);
    base(host.read(".env"));
    const testing::Result model = testing::execute(
        {{"docker", "compose", "--file", at("docker-compose.yaml"), "config", "--format", "json"},
         {},
         host.deployment_dir()},
        -1);
    host.write("model.json", model.out);
    host.model_before = at("model.json");
    release("1.14.1");
    const std::string merged = run();
    const EnvValues values = evaluate(EnvFile::parse(merged));
    EXPECT_EQ(*values.find("DB_HOST"), "db_postgres") << tag;
    const ComposeView view = now();
    EXPECT_EQ(view.enabled.count("db_postgres"), 1U) << tag;
    EXPECT_EQ(view.enabled.count("weaviate"), 1U) << tag;
  }
}

}  // namespace
}  // namespace drydock::env_sync
