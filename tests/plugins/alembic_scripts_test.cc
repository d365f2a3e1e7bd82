// Finding migration scripts among the files of an image, and what a migration of a database will
// do.
#include <gtest/gtest.h>

#include "alembic_ini.h"
#include "drydock/stage.hpp"
#include "migration_plan.h"
#include "script_search.h"

using namespace drydock::alembic;
using drydock::Change;
using drydock::Failed;
using Texts = std::vector<std::string>;

namespace {

template <class Refusal, class Function>
std::string refusal_of(Function function) {
  try {
    function();
    return "";
  } catch (const Refusal& e) {
    return e.what();
  }
}

std::string revision(const std::string& name, const std::string& down = "None") {
  return "revision = '" + name + "'\ndown_revision = " + down + "\n";
}

// --- alembic.ini --------------------------------------------------------------------------------

AlembicIni ini(const std::string& text) { return read_alembic_ini("/srv/app/alembic.ini", text); }

TEST(AlembicIniFile, SaysWhereTheScriptsAre) {
  const AlembicIni read =
      ini("# script_location = not\n[DEFAULT]\nrecursive_version_locations = true\n[alembic]\r\n"
          "; a comment\nSCRIPT_LOCATION : %(here)s/db%%1\nfile_template = %%(rev)s\n"
          "[post_write_hooks]\nscript_location = other\n");
  EXPECT_EQ(read.script_location, "/srv/app/db%1");
  EXPECT_EQ(read.version_locations, Texts{});
  EXPECT_TRUE(read.recursive);
  EXPECT_EQ(ini("[alembic]\nversion_locations = a, b  c").version_locations,
            (Texts{"a", "b", "c"}));
  EXPECT_EQ(
      ini("[alembic]\nversion_path_separator = os\nversion_locations = a b:/c").version_locations,
      (Texts{"a b", "/c"}));
  EXPECT_EQ(ini("[alembic]\npath_separator = newline\nversion_path_separator = ;\n"
                "version_locations =\n    a;1\n    # not\n    b\n")
                .version_locations,
            (Texts{"a;1", "b"}));
  EXPECT_EQ(ini("").script_location, "");
  EXPECT_EQ(ini("[alembic]\nscript_location = db\n# version_locations = a\n"
                "version_path_separator = os  # Use os.pathsep.\n")
                .script_location,
            "db");
}

TEST(AlembicIniFile, IsRefusedWhereItTakesPython) {
  for (const char* text :
       {"[alembic]\nscript_location = %(folder)s/x", "[alembic]\nscript_location = app:migrations",
        "[alembic]\nsourceless = true",
        "[alembic]\nversion_path_separator = |\nversion_locations = a",
        "[alembic]\nversion_locations = a\n  b", "[alembic]\nversion_locations = a b:c"}) {
    EXPECT_NE(refusal_of<Unreadable>([&] { ini(text); }).find("/srv/app/alembic.ini: "),
              std::string::npos)
        << text;
  }
}

// --- finding them -------------------------------------------------------------------------------

// An image as a list of files.
class FakePlace : public ScriptPlace {
 public:
  std::map<std::string, std::string> image;
  std::set<std::string> links;
  Texts asked;

  std::optional<ScriptFiles> files(const std::string& path) override {
    asked.push_back(path);
    ScriptFiles found;
    const auto at_or_below = [&](const std::string& file) {
      return file == path || file.compare(0, path.size() + 1, path + "/") == 0;
    };
    for (const auto& [file, text] : image) {
      if (at_or_below(file)) found.texts[file] = text;
    }
    for (const std::string& link : links) {
      if (at_or_below(link)) found.links.insert(link);
    }
    if (found.texts.empty() && found.links.empty()) return std::nullopt;
    return found;
  }
};

class ScriptSearching : public ::testing::Test {
 protected:
  // "FOLDER: a1 b2", or the refusal.
  std::string found() {
    try {
      const FoundScripts scripts = find_scripts(place, question);
      std::string result = scripts.folder + ":";
      for (const RevisionFile& file : scripts.files) result += " " + file.revision;
      return result;
    } catch (const Unreadable& e) {
      return e.what();
    }
  }
  void add(const std::string& path, const std::string& text = "") { place.image[path] = text; }
  void add_scripts(const std::string& folder, const std::string& name) {
    add(folder + "/env.py");
    add(folder + "/versions/" + name + ".py", revision(name));
  }
  FakePlace place;
  ScriptQuestion question{"/app", "", {}};
};

TEST_F(ScriptSearching, LooksWhereApplicationsKeepThem) {
  EXPECT_EQ(found(), "there is no alembic.ini, migrations/env.py or alembic/env.py in /app");
  add_scripts("/app/migrations", "a1");
  add("/app/migrations/versions/__init__.py");
  add("/app/migrations/versions/old/z9.py", "not looked at");
  add("/app/migrations/helpers.py", "not looked at");
  place.asked.clear();
  EXPECT_EQ(found(), "/app/migrations: a1");
  EXPECT_EQ(place.asked, (Texts{"/app/alembic.ini", "/app/migrations", "/app/alembic"}))
      << "each once, in the order of what is likely";
  add("/app/migrations/alembic.ini", "[alembic]\nversion_locations = migrations/versions/old\n");
  add("/app/migrations/versions/old/z9.py", revision("z9"));
  EXPECT_EQ(found(), "/app/migrations: z9");
}

TEST_F(ScriptSearching, DoesNotGuess) {
  add_scripts("/app/migrations", "a1");
  add_scripts("/app/alembic", "b2");
  EXPECT_NE(found().find("both /app/migrations and /app/alembic could be meant"),
            std::string::npos);
  question.named = "alembic";
  EXPECT_EQ(found(), "/app/alembic: b2");
  question.named = "/app/migrations/versions";
  EXPECT_EQ(found(), "/app/migrations/versions: a1");
  question.named = "db";
  EXPECT_EQ(found(), "there is no /app/db");
}

TEST_F(ScriptSearching, FollowsAnAlembicIni) {
  add_scripts("/app/db", "a1");
  add("/app/more/b2.py", revision("b2"));
  add("/app/alembic.ini", "[alembic]\nscript_location = db\n");
  EXPECT_EQ(found(), "/app/db: a1");
  add("/app/alembic.ini",
      "[alembic]\nscript_location = ./db/\nversion_locations = db/versions more absent "
      "db/versions\n");
  EXPECT_EQ(found(), "/app/db: a1 b2");
  add("/app/alembic.ini", "[alembic]\n");
  EXPECT_EQ(found(), "/app/alembic.ini has no `script_location`");
  question.named = "conf/x.ini";
  EXPECT_EQ(found(), "there is no /app/conf/x.ini");
  add("/app/conf/x.ini",
      "[alembic]\nscript_location = %(here)s/../db\nrecursive_version_locations = true");
  add("/app/db/versions/2024/c3.py", revision("c3"));
  EXPECT_EQ(found(), "/app/db: c3 a1");
}

TEST_F(ScriptSearching, ListensToTheCommand) {
  add_scripts("/app/migrations", "a1");
  add_scripts("/app/db", "b2");
  add("/app/alembic.ini", "[alembic]\nscript_location = db\n");
  add("/app/x.ini", "[alembic]\nscript_location = migrations\n");
  const std::pair<Texts, std::string> cases[] = {
      {{"/venv/bin/alembic", "upgrade", "head"}, "/app/db: b2"},
      {{"alembic", "-c", "x.ini", "upgrade", "head"}, "/app/migrations: a1"},
      {{"alembic", "-cx.ini", "upgrade", "head"}, "/app/migrations: a1"},
      {{"alembic", "--config=x.ini", "upgrade", "head"}, "/app/migrations: a1"},
      {{"alembic", "-n", "other", "upgrade"},
       "the command names another section of its alembic.ini"},
      {{"sh", "-c", "/bin/alembic", "upgrade", "head"}, "/app/db: b2"},
      {{"flask", "db", "upgrade"}, "/app/migrations: a1"},
      {{"flask", "db", "upgrade", "-d", "db"}, "/app/db: b2"},
      {{"flask", "db", "upgrade", "--directory", "x"}, "there is no /app/x"}};
  for (const auto& [command, expected] : cases) {
    question.command = command;
    EXPECT_EQ(found(), expected) << command.back();
  }
}

TEST_F(ScriptSearching, ReadsAllOrNothing) {
  add_scripts("/app/migrations", "a1");
  add("/app/migrations/versions/b2.py", "revision = 'b2'\ndown_revision = f()\n");
  EXPECT_NE(found().find("/app/migrations/versions/b2.py:2: `down_revision`"), std::string::npos);
  place.image.erase("/app/migrations/versions/b2.py");
  place.links = {"/app/migrations/README"};
  EXPECT_EQ(found(), "/app/migrations: a1");
  place.links = {"/app/migrations/versions/b2.py"};
  EXPECT_EQ(found(), "/app/migrations/versions/b2.py is a link");
  place.links = {"/app/migrations/versions"};
  EXPECT_EQ(found(), "/app/migrations/versions is a link");
  place.links.clear();
  place.image.erase("/app/migrations/versions/a1.py");
  EXPECT_EQ(found(), "there is no /app/migrations/versions");
  add("/app/migrations/versions/__init__.py");
  EXPECT_EQ(found(), "there is no revision file in /app/migrations");
}

// --- what a migration will do -------------------------------------------------------------------

RevisionFile file(const std::string& name, Texts down, const std::string& message = "") {
  return {name + ".py", name, std::move(down), {}, {}, message};
}

class MigrationPlan : public ::testing::Test {
 protected:
  std::vector<Change> plan(const RevisionGraph& graph) { return plan_migration(question, graph); }
  std::string refusal(const RevisionGraph& graph) {
    return refusal_of<Failed>([&] { plan(graph); });
  }
  MigrationQuestion question{"data", true, Texts{"a"}, false, "/app/db", "image x:2 of service api",
                             ""};
  RevisionGraph chain{{file("a", {}, "notes"), file("b", {"a"}, "authors"), file("c", {"b"})}};
  RevisionGraph open{{file("a", {}), file("b", {"a"}), file("c", {"a"})}};
};

TEST_F(MigrationPlan, NamesEachPendingRevision) {
  const std::vector<Change> changes = plan(chain);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].action, "change");
  EXPECT_EQ(changes[0].name, "data");
  EXPECT_EQ(changes[0].before, "a");
  EXPECT_EQ(changes[0].after, "c");
  EXPECT_EQ(changes[0].detail, "2 revisions of the scripts in /app/db (image x:2 of service api)");
  EXPECT_EQ(changes[1].action, "run");
  EXPECT_EQ(changes[1].name, "b");
  EXPECT_EQ(changes[1].detail, "authors");
  EXPECT_EQ(changes[2].name, "c");
  question.current = std::nullopt;
  EXPECT_EQ(plan(chain).size(), 4u);
  EXPECT_EQ(plan(chain)[0].before, "no table alembic_version");
}

TEST_F(MigrationPlan, SaysWhenThereIsNothingToDo) {
  question.current = Texts{"c"};
  const std::vector<Change> changes = plan(chain);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].action, "keep");
  EXPECT_NE(changes[0].detail.find("nothing to do"), std::string::npos);
  question.current = Texts{"a", "c"};  // nothing is pending, but Alembic would trip over it
  EXPECT_NE(refusal(chain).find("is at a and at c at once"), std::string::npos) << refusal(chain);
}

TEST_F(MigrationPlan, DoesNotKnowWhatADatabaseIsAtThatDoesNotRun) {
  question.running = false;
  const std::vector<Change> changes = plan(chain);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].before, "not running");
  EXPECT_EQ(changes[0].after, "c");
  EXPECT_NE(changes[0].detail.find("known once the database runs"), std::string::npos);
}

TEST_F(MigrationPlan, RefusesADatabaseThatIsNewer) {
  question.current = Texts{"d"};
  const std::string said = refusal(chain);
  EXPECT_NE(said.find("database data is at revision d"), std::string::npos) << said;
  EXPECT_NE(said.find("whose head is c"), std::string::npos) << said;
  EXPECT_NE(said.find("newer"), std::string::npos) << said;
}

TEST_F(MigrationPlan, RefusesSeveralHeadsUnlessAllAreMeant) {
  EXPECT_NE(refusal(open).find("have several heads (b, c)"), std::string::npos);
  question.target = "head";
  EXPECT_NE(refusal(open), "");
  question.target = "heads";
  EXPECT_EQ(plan(open).size(), 3u);
  question.target = "b";
  EXPECT_EQ(plan(open).at(0).after, "b");
  question.target = "";
  question.current = Texts{"b", "c"};
  EXPECT_EQ(plan(open).at(0).action, "keep");
  // With several stamps it has been to several heads before.
  const RevisionGraph further{
      {file("a", {}), file("b", {"a"}), file("c", {"a"}), file("d", {"c"})}};
  EXPECT_EQ(plan(further).size(), 2u);
  EXPECT_EQ(plan(further).at(0).after, "b, d");
  question.current = Texts{"a", "b"};
  EXPECT_NE(refusal(open).find("is at a and at b at once"), std::string::npos) << refusal(open);
}

}  // namespace
