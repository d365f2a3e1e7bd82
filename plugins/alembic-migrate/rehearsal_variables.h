// How a migrator is told to work on a copy of the database: by its own variables. Decided from values
// alone.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "migrator.h"

namespace drydock::alembic {

struct CopyTarget {
  std::string database;  // its name on the server, or in its folder
  std::string copy;      // the same of the copy
  bool file = false;     // SQLite
  // What is set where a variable has no value yet: for SQLite its path, else as `copy`.
  std::string unset;
  // Names of the database's service under which nothing answers now, and the one under which it
  // does: a release may have another name for it.
  std::vector<std::string> other_hosts;
  std::string host;
  std::string usual;               // a variable that names it, if it has its name
  std::vector<std::string> named;  // variables of which the options say that they name the database
};

// What to give the migrator instead of its own variables: those that are named, those that usually
// name a database (DB_DATABASE, POSTGRES_DB...) where that is their value, and those that hold a
// URL or a connection string of it; and the host in them. Values of URLs count as secret. Throws
// Failed when nothing names the database, or a named variable names another one: the migrator would
// work on the database itself, or on nothing.
Variables variables_for_copy(const std::map<std::string, std::string>& environment,
                             const CopyTarget&);

// "DB_DATABASE, DB_HOST"
std::string names_of(const Variables&);

}  // namespace drydock::alembic
