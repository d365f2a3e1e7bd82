// What Alembic itself says of folders of revision files, for comparison.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "drydock/testing.hpp"

namespace drydock::testing {

// Of one folder. Revisions in no particular order but for `ran`.
struct AlembicsWord {
  std::vector<std::string> heads;              // of `alembic heads`
  std::map<std::string, std::string> history;  // of `alembic history`: revision -> message
  std::vector<std::string> current;            // the stamps after `alembic upgrade` to some
  std::vector<std::string> ran;                // what `alembic upgrade heads` ran then, in order
  std::vector<std::string> stamps;             // and the stamps that it left
  std::string refused;                         // why it read or ran nothing
};

inline bool alembic_is_installed() { return ::access("/usr/bin/alembic", X_OK) == 0; }

// One process for all folders: it takes longer to start than to answer. folder/steps.txt names the
// revisions to which it upgrades first, one a line. Each folder gets a database of its own.
inline std::map<std::string, AlembicsWord> ask_alembic(const std::string& folders) {
  Process process;
  process.directory = folders;
  process.arguments = {"/usr/bin/python3", "-W", "ignore", "-c", R"(
import io, pathlib, sqlite3
from alembic import command, config
def rows(folder):  # `alembic current` shows more than the table holds
    try:
        with sqlite3.connect(folder / "app.db") as database:
            return [row[0] for row in database.execute("SELECT version_num FROM alembic_version")]
    except sqlite3.OperationalError:
        return []
for folder in sorted(pathlib.Path(".").iterdir()):
    print("folder", folder.name)
    said = io.StringIO()
    settings = config.Config(stdout=said)
    settings.set_main_option("script_location", str(folder))
    settings.set_main_option("sqlalchemy.url", "sqlite:///%s/app.db" % folder)
    def lines():
        text = said.getvalue().splitlines()
        said.seek(0), said.truncate()
        return text
    try:
        command.heads(settings)
        for line in lines(): print("head", line.split()[0])
        command.history(settings)
        for line in lines():
            if " -> " not in line: continue
            revision, _, message = line.partition(" -> ")[2].partition(", ")
            print("history", revision.split()[0], message)
        for step in (folder / "steps.txt").read_text().split():
            command.upgrade(settings, step)
        (folder / "ran.txt").write_text("")
        for row in rows(folder): print("current", row)
        command.upgrade(settings, "heads")
        for line in (folder / "ran.txt").read_text().split(): print("ran", line)
        for row in rows(folder): print("stamp", row)
    except (Exception, SystemExit) as error:
        print("refused", type(error).__name__, str(error).replace("\n", " "))
)"};
  const Result result = execute(process, -1);
  if (result.code != 0) throw std::runtime_error(result.out + result.err);
  std::map<std::string, AlembicsWord> answers;
  AlembicsWord* answer = nullptr;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string what, value, rest;
    words >> what >> value;
    std::getline(words >> std::ws, rest);
    if (what == "folder") answer = &answers[value];
    if (what == "head") answer->heads.push_back(value);
    if (what == "history") answer->history[value] = rest;
    if (what == "current") answer->current.push_back(value);
    if (what == "ran") answer->ran.push_back(value);
    if (what == "stamp") answer->stamps.push_back(value);
    if (what == "refused") answer->refused = value + " " + rest;
  }
  return answers;
}

// What an env.py needs to run revisions on that database.
inline const char* const alembic_environment = R"(
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection, transactional_ddl=False)
    with context.begin_transaction():
        context.run_migrations()
)";

}  // namespace drydock::testing
