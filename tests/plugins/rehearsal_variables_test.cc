// How a migrator is sent to a copy of its database: which variables, and what becomes of them.
#include "rehearsal_variables.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "database_copy.h"
#include "mariadb_copy.h"
#include "rehearsal_model.h"
#include "rehearsal_record.h"
#include "rehearsal_room.h"

using namespace drydock::alembic;
using Environment = std::map<std::string, std::string>;

namespace {

CopyTarget server_target() {
  CopyTarget target;
  target.database = "app";
  target.copy = target.unset = "app_copy";
  target.host = "db";
  target.other_hosts = {"database"};
  return target;
}

CopyTarget file_target() {
  CopyTarget target;
  target.database = "app.db";
  target.copy = "app_copy.db";
  target.unset = "data/app_copy.db";
  target.file = true;
  return target;
}

// As they would be set: "NAME=value", and a star where the value counts as secret.
std::vector<std::string> set_in(const Environment& environment, const CopyTarget& target) {
  std::vector<std::string> result;
  for (const auto& [name, variable] : variables_for_copy(environment, target)) {
    result.push_back((variable.secret ? "*" : "") + name + "=" + variable.value);
  }
  return result;
}

std::string refusal(const Environment& environment, const CopyTarget& target) {
  try {
    variables_for_copy(environment, target);
  } catch (const drydock::Failed& e) {
    return e.what();
  }
  return "";
}

using Words = std::vector<std::string>;

TEST(RehearsalVariables, ThoseThatUsuallyNameTheDatabaseAreFound) {
  EXPECT_EQ(set_in({{"DB_DATABASE", "app"}, {"DB_USERNAME", "app"}, {"APP_NAME", "app"}},
                   server_target()),
            Words{"DB_DATABASE=app_copy"});
  // Another database of the same application stays what it is.
  EXPECT_EQ(set_in({{"DB_DATABASE", "app"}, {"DB_NAME", "plugins"}}, server_target()),
            Words{"DB_DATABASE=app_copy"});
}

TEST(RehearsalVariables, UrlsOfTheDatabaseLeadToTheCopyAndStaySecret) {
  for (const auto& [url, copy] : Environment{
           {"postgresql://app:pass@db:5432/app", "postgresql://app:pass@db:5432/app_copy"},
           {"postgresql+psycopg2://db/app?sslmode=disable",
            "postgresql+psycopg2://db/app_copy?sslmode=disable"},
           {"jdbc:postgresql://db/app", "jdbc:postgresql://db/app_copy"},
           {"mysql+pymysql://app:app@database/app", "mysql+pymysql://app:app@db/app_copy"},
           {R"({"url": "postgres://u@database:5/app", "x": 1})",
            R"({"url": "postgres://u@db:5/app_copy", "x": 1})"},
           {"host=db dbname=app user=app", "host=db dbname=app_copy user=app"},
           {"postgres://db/%61pp", "postgres://db/app_copy"},
           {"postgres://a/app,mysql://b/app", "postgres://a/app_copy,mysql://b/app_copy"}}) {
    EXPECT_EQ(set_in({{"DATABASE_URL", url}}, server_target()), Words{"*DATABASE_URL=" + copy});
  }
  for (const char* other : {"postgresql://db/apps", "redis://db/app", "https://example.org/app",
                            "postgresql://app", "postgresql://db", "://", "postgresql:///",
                            "host=app dbname=application", "mydbname=app", ""}) {
    EXPECT_NE(refusal({{"DATABASE_URL", other}}, server_target()), "") << other;
  }
}

TEST(RehearsalVariables, AFileIsNamedByItsPath) {
  EXPECT_EQ(
      set_in({{"DB_FILE", "data/app.db"}, {"URL", "sqlite:////srv/data/app.db"}, {"N", "app"}},
             file_target()),
      (Words{"DB_FILE=data/app_copy.db", "*URL=sqlite:////srv/data/app_copy.db"}));
  EXPECT_EQ(set_in({{"URL", "sqlite:///app.db?timeout=3"}}, file_target()),
            Words{"*URL=sqlite:///app_copy.db?timeout=3"});
  CopyTarget named = file_target();
  named.named = {"DB_FILE"};
  EXPECT_EQ(set_in({}, named), Words{"DB_FILE=data/app_copy.db"});
}

TEST(RehearsalVariables, NamedOnesAreSetOrRefused) {
  CopyTarget target = server_target();
  target.named = {"APP_DB"};
  EXPECT_EQ(set_in({{"APP_DB", "app"}, {"DB_NAME", "app"}}, target),
            (Words{"APP_DB=app_copy", "DB_NAME=app_copy"}));
  EXPECT_EQ(set_in({}, target), Words{"APP_DB=app_copy"});
  EXPECT_EQ(set_in({{"APP_DB", "postgres://db/app"}}, target),
            Words{"*APP_DB=postgres://db/app_copy"});
  EXPECT_NE(refusal({{"APP_DB", "postgres://:secret@db/other"}}, target)
                .find("the variable APP_DB, of which `rehearse` says that it names the database, "
                      "does not name app"),
            std::string::npos);
  EXPECT_EQ(refusal({{"APP_DB", "postgres://:secret@db/other"}}, target).find("secret"),
            std::string::npos);
}

TEST(RehearsalVariables, WithoutAnyTheMigratorIsNotStarted) {
  EXPECT_NE(refusal({{"DB_HOST", "database"}}, server_target()).find("rehearse: {variables"),
            std::string::npos);
}

TEST(RehearsalVariables, TheNameThatAServiceWillHaveBecomesTheOneThatItHas) {
  EXPECT_EQ(set_in({{"DB_DATABASE", "app"}, {"DB_HOST", "database"}, {"REDIS_HOST", "redis"}},
                   server_target()),
            (Words{"DB_DATABASE=app_copy", "DB_HOST=db"}));
}

// Whatever surrounds it: no value that is set still has a URL of the database itself.
RC_GTEST_PROP(RehearsalVariables, NothingThatIsSetNamesTheDatabase,
              (const std::string& before, const std::string& after)) {
  const std::string value = before + " postgresql://u:p@db/app " + after;
  const Variables set = variables_for_copy({{"X", value}}, server_target());
  RC_ASSERT(set.at("X").value.find("@db/app ") == std::string::npos);
  RC_ASSERT(set.at("X").value.find("@db/app_copy ") != std::string::npos);
  RC_ASSERT(set.at("X").secret);
}

TEST(RehearsalRows, DifferencesAreOfTablesThatWereThere) {
  EXPECT_EQ(row_differences({{"a", 1}, {"b", 2}}, {{"a", 1}, {"b", 2}, {"c", 9}}), "");
  EXPECT_EQ(row_differences({{"a", 1}, {"b", 2}, {"c", 1}}, {{"a", 0}, {"b", 1}}),
            "a: 0 rows, before 1, b: 1 row, before 2, c: gone, before 1 row");
}

TEST(RehearsalRecord, IsShownInFewWords) {
  EXPECT_EQ(describe(Rehearsal{"app", "one", "two", "2026-11-26", 41.6, 1288490240}),
            "rehearsed 2026-11-26 in 42 s on 1.2 GiB");
  EXPECT_EQ(shown_seconds(1.44), "1.4 s");
  EXPECT_EQ(shown_seconds(200), "3 min 20 s");
}

TEST(NamesDatabase, IsSaidOfWhatStandsBeforeADot) {
  using drydock::names_database;
  for (const char* sql : {"INSERT INTO app.note", "INSERT INTO `app`.`note`", "UPDATE APP . note",
                          "SELECT 1 FROM x JOIN app.y", "app.z", "\"app\".\"note\"", "USE app;",
                          "SELECT 1; use `app`", "app /* x */ . note", "/*!50000 app.note */",
                          "PREPARE s FROM 'DELETE FROM app.note'"}) {
    EXPECT_TRUE(names_database(sql, "app")) << sql;
  }
  for (const char* sql : {"INSERT INTO note VALUES ('app')", "UPDATE myapp.note", "x.app.y", "app",
                          "apps.note", "SELECT application.x", "", "NEW.app", "-- app.note",
                          "/* app.note */ SELECT 1", "INSERT INTO x VALUES ('see app.note')",
                          "SELECT 1 # app.note", "INSERT INTO x VALUES ('it\\'s app.note')"}) {
    EXPECT_FALSE(names_database(sql, "app")) << sql;
  }
  // Where it is known what there is in the database, a column of a table `app` is none.
  const std::set<std::string> objects = {"note"};
  EXPECT_TRUE(names_database("UPDATE app.Note SET x = 1", "app", &objects));
  EXPECT_TRUE(names_database("SELECT app.x.y", "app", &objects));
  EXPECT_FALSE(names_database("UPDATE note app SET app.x = 1", "app", &objects));
}

TEST(RehearsalRoom, HasTheCopyTwiceAndWhatTheServerLogs) {
  using namespace drydock::alembic;
  const std::int64_t gib = 1LL << 30;
  EXPECT_EQ(room_for_copy(gib, {}).all(), 2 * gib);
  EXPECT_EQ(words_of_log(room_for_copy(gib, {}), {}), "");
  const ServerLog kept{"binary log", true, -1, 2};
  EXPECT_EQ(room_for_copy(gib, kept).all(), 4 * gib);
  EXPECT_EQ(words_of_log(room_for_copy(gib, kept), kept),
            "the server writes up to 2.0 GiB of binary log for it, and its 2 replicas get the copy "
            "as well");
  const ServerLog recycled{"write-ahead log", true, gib / 2, 0};
  EXPECT_EQ(room_for_copy(gib, recycled).all(), 2 * gib + gib / 2);
}

// What a one-off container of the service would make is what has to be there.
TEST(RehearsalModel, UsesWhatThereIsAndNamesWhatIsNot) {
  using drydock::alembic::rehearsal_model;
  const auto model = rehearsal_model(R"({"name": "demo", "services": {
    "api": {"image": "api:2", "depends_on": {"db": {"condition": "service_healthy"}},
      "networks": {"back": {"ipv4_address": "10.1.0.7", "aliases": ["x"]}}, "ports": [{"target": 80}],
      "volumes": [{"type": "volume", "source": "files", "target": "/files"},
                  {"type": "bind", "source": "/srv/app/conf", "target": "/conf"},
                  {"type": "tmpfs", "target": "/tmp"}],
      "secrets": [{"source": "key"}]},
    "db": {"image": "postgres:16"}},
    "networks": {"back": {"name": "demo_back", "driver": "bridge", "ipam": {}}, "other": {}},
    "volumes": {"files": {"name": "demo_files", "driver": "local"}, "data": {"name": "demo_data"}},
    "secrets": {"key": {"name": "demo_key", "file": "/srv/app/key"}}})",
                                     "api", "demo-api");
  EXPECT_EQ(model.networks, std::vector<std::string>{"demo_back"});
  EXPECT_EQ(model.volumes, std::vector<std::string>{"demo_files"});
  EXPECT_EQ(model.paths, (std::vector<std::string>{"/srv/app/conf", "/srv/app/key"}));
  EXPECT_EQ(model.text,
            R"({"name":"demo","networks":{"back":{"external":true,"name":"demo_back"}},)"
            R"("secrets":{"key":{"file":"/srv/app/key","name":"demo_key"}},)"
            R"("services":{"api":{"image":"api:2","networks":{"back":{"aliases":["x"]}},)"
            R"("secrets":[{"source":"key"}],"volumes":[)"
            R"({"source":"files","target":"/files","type":"volume"},)"
            R"({"source":"/srv/app/conf","target":"/conf","type":"bind"},)"
            R"({"target":"/tmp","type":"tmpfs"}]}},)"
            R"("volumes":{"files":{"external":true,"name":"demo_files"}}})");
  const auto plain =
      rehearsal_model(R"({"name": "demo", "services": {"api": {"build": {}}}})", "api", "demo-api");
  EXPECT_EQ(plain.networks, std::vector<std::string>{"demo_default"});
  EXPECT_NE(plain.text.find(R"("image":"demo-api")"), std::string::npos) << plain.text;
  EXPECT_THROW(
      rehearsal_model(R"({"services": {"api": {"network_mode": "service:vpn", "image": "x"}}})",
                      "api", ""),
      drydock::Failed);
}

}  // namespace
