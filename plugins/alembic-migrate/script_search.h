// Which of the files of an image or a deployment are the migration scripts that its migrator will
// run: by the rules of Alembic and of Flask-Migrate, without running either.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "revision_file.h"

namespace drydock::alembic {

// Paths are absolute, as the migrator sees them.
struct ScriptFiles {
  std::map<std::string, std::string> texts;  // path -> content; of .py and .ini files
  std::set<std::string> links;               // symbolic links, which are not followed
};

// What holds the files.
class ScriptPlace {
 public:
  virtual ~ScriptPlace() = default;
  // All at and below `path`; nullopt: there is nothing of that name. Throws Unreadable when that
  // cannot be told.
  virtual std::optional<ScriptFiles> files(const std::string& path) = 0;
};

struct ScriptQuestion {
  std::string folder;                // in which the migrator runs
  std::string named;                 // the scripts, or an alembic.ini; "": they are looked for
  std::vector<std::string> command;  // as far as it is known: it may say -c FILE or -d FOLDER
};

struct FoundScripts {
  std::string folder;  // for people
  std::vector<RevisionFile> files;
};

// Throws Unreadable: none, several that could be meant, or files that cannot be read.
FoundScripts find_scripts(ScriptPlace& place, const ScriptQuestion& question);

}  // namespace drydock::alembic
