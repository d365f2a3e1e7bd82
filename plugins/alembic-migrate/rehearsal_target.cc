#include "rehearsal_target.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "database_copy.h"
#include "rehearsal_variables.h"

namespace drydock::alembic {
namespace {

// "one (head)": a revision of these begins a line of what was printed.
bool names_one_of(const std::string& printed, const std::vector<std::string>& revisions) {
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    const std::string word = line.substr(0, line.find_first_of(" \t\r"));
    if (std::find(revisions.begin(), revisions.end(), word) != revisions.end()) return true;
  }
  return false;
}

enum class Place { copy, database, unknown };

// said: the last words of who did not answer.
Place ask(const Call& call, const std::vector<std::string>& before,
          const std::vector<std::string>& heads, const Variables& variables, LastLines& said) {
  int number = 0;
  for (const std::vector<std::string>& command : current_commands(call)) {
    const std::string name = container_name(call, "current" + std::to_string(++number));
    if (call.has("/service")) {
      note_container(call, name);
    } else {
      note_session(call, name);
    }
    const Captured answer = call.capture(script_process(call, name, command, variables));
    if (names_one_of(answer.out, before)) return Place::database;
    if (names_one_of(answer.out, heads)) return Place::copy;
    std::istringstream lines(answer.err.empty() ? answer.out : answer.err);
    for (std::string line; std::getline(lines, line);) said.add(line);
  }
  return Place::unknown;
}

}  // namespace

Variables variables_of_copy(const Call& call, const std::optional<MigratorService>& service,
                            const MigratedDatabase& database, const MigratedDatabase& copy) {
  std::map<std::string, std::string> environment;
  if (service) environment = whole_environment(call, *service);
  for (const std::string& key : call.keys("/environment")) {
    environment[key] = call.text(Call::member("/environment", key));
  }
  for (const std::string& key : call.keys("/secret_environment")) {
    environment[key] = call.secret(Call::member("/secret_environment", key)).value_or("");
  }
  CopyTarget target;
  target.file = !database.sqlite.empty();
  target.database =
      target.file ? std::filesystem::path(database.sqlite).filename().string() : database.name;
  target.copy = copy.name;
  target.unset =
      target.file ? (std::filesystem::path(call.text("/sqlite")).parent_path() / copy.name).string()
                  : copy.name;
  target.named = call.texts("/rehearse/variables");
  target.usual = call.text("/database/env/name");
  target.host = database.where.service;
  for (const std::string& name : call.texts("/database/service")) {
    if (name != database.where.service) target.other_hosts.push_back(name);
  }
  return variables_for_copy(environment, target);
}

void show_that_it_goes_to_the_copy(const Call& call, const MigratedDatabase& copy,
                                   const Revisions& current, const std::vector<std::string>& heads,
                                   const Variables& variables) {
  Place place = Place::unknown;
  LastLines said;
  std::vector<std::string> before;  // what the copy does not say meanwhile
  for (const std::string& one : current.value_or(std::vector<std::string>{})) {
    if (std::find(heads.begin(), heads.end(), one) == heads.end()) before.push_back(one);
  }
  if (!before.empty() && set_revisions(call, copy, heads)) {
    place = ask(call, before, heads, variables, said);
    set_revisions(call, copy, *current);
  }
  if (place == Place::database) {
    throw Failed("the migrator would not migrate the copy but the database itself, although " +
                 names_of(variables) + " name the copy " + copy.name +
                 ": something else tells it where to go; nothing was migrated. Name the variable "
                 "that does: rehearse: {variables: [NAME]}");
  }
  if (place == Place::copy) return;
  const std::string unknown = "nothing shows beforehand that the migrator goes to the copy " +
                              copy.name +
                              ": its Alembic, asked for the current revision, names "
                              "neither that of the copy nor that of the database" +
                              (said.text().empty() ? "" : " (" + said.text() + ")");
  if (!call.has("/service") || call.texts("/rehearse/variables").empty()) {
    throw Failed(unknown +
                 ". Nothing was migrated; let `heads_command` be one that ends in `heads` "
                 "and works with `current` instead" +
                 (call.has("/service") ? ", or name the variables by which the application finds "
                                         "its database with rehearse: {variables: [NAME]}"
                                       : ""));
  }
  call.warn(unknown + "; its variables do (" + names_of(variables) + ")");
}

}  // namespace drydock::alembic
