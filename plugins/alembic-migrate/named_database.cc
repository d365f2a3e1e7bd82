#include "named_database.h"

#include <algorithm>

#include "mariadb_copy.h"
#include "migration_plan.h"
#include "python_literal.h"
#include "revision_tables.h"

namespace drydock::alembic {
namespace {

constexpr std::size_t shown = 60;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string naming_in(const PythonLine& line, const std::string& database,
                      const std::set<std::string>& objects) {
  const std::vector<PythonToken>& tokens = line.tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != PythonToken::Kind::string) continue;
    // An f-string's own text names what it names all the same.
    const std::string text = python_text(tokens[i].text).value_or(std::string(tokens[i].text));
    const bool schema = i > 1 && tokens[i - 1].is("=") &&
                        tokens[i - 2].kind == PythonToken::Kind::name &&
                        tokens[i - 2].text.find("schema") != std::string_view::npos;
    if (schema && lower(text) == lower(database)) {
      return std::string(tokens[i - 2].text) + "='" + text + "'";
    }
    if (names_database(text, database, &objects)) return presentable(text).substr(0, shown);
  }
  return "";
}

}  // namespace

std::string naming_in(std::string_view source, const std::string& database,
                      const std::set<std::string>& objects) {
  try {
    UpgradeLines lines(source);
    for (PythonLine line; lines.next(line);) {
      if (line.tokens.size() == 1) continue;  // a docstring
      if (std::string found = naming_in(line, database, objects); !found.empty()) return found;
    }
  } catch (const Unreadable&) {  // it cannot be run either
  }
  return "";
}

void refuse_named_database(const Call& call, const MigratedDatabase& database,
                           const Scripts& scripts, const Revisions& current) {
  if (!database.mariadb) return;
  if (!scripts.graph) {
    return call.warn(
        "whether a pending revision names database " + database.name +
        " itself, which it would change from the copy, cannot be told: " + scripts.reason);
  }
  const auto pending = scripts.graph->pending(current.value_or(std::vector<std::string>{}));
  std::set<std::string> objects = object_names(call, *database.mariadb, database.name);
  for (const RevisionFile* one : pending) {
    for (const auto& [table, change] : revision_tables(one->source).tables) {
      objects.insert(lower(table.substr(table.rfind('.') + 1)));
    }
  }
  for (const RevisionFile* one : pending) {
    const std::string naming = naming_in(one->source, database.name, objects);
    if (naming.empty()) continue;
    throw Failed(
        "the pending revision " + one->revision + " (" + one->file + ") names database " +
        database.name + " itself (" + naming +
        "), so that it would change it from a copy; leave the name out of the revision, or "
        "rehearse on another server with a restored backup");
  }
}

}  // namespace drydock::alembic
