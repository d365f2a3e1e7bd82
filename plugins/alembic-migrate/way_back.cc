#include "way_back.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "downgrade.h"
#include "file_store.h"
#include "migrator.h"

namespace drydock::alembic {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string line_of(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& one : words) line += (line.empty() ? "" : " ") + shell_quoted(one);
  return line;
}

// The stages of this run that have kept the database: each has its manifests in its private folder,
// beside this stage's own.
std::set<std::string> stages_with_backup(const Call& call, const std::string& database) {
  std::set<std::string> stages;
  std::error_code none;
  for (const auto& stage :
       fs::directory_iterator(fs::path(call.private_dir()).parent_path(), none)) {
    for (const auto& file : fs::directory_iterator(stage.path() / "manifests", none)) {
      const auto text = files::read_if_present(file.path().string());
      const Json manifest = Json::parse(text.value_or(""), nullptr, false);
      if (manifest.is_object() && manifest.value("name", "") == database) {
        stages.insert(stage.path().filename().string());
      }
    }
  }
  return stages;
}

std::string restore_commands(const Call& call, const MigratedDatabase& database) {
  const std::vector<std::string> drydock = {"drydock", "-C", call.deployment_dir(), "backups"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> words = drydock;
    words.insert(words.end(), more.begin(), more.end());
    return "`" + line_of(words) + "`";
  };
  const std::string run = std::to_string(call.run_id());
  std::string commands;
  for (const std::string& stage : stages_with_backup(call, database.name)) {
    commands +=
        (commands.empty() ? "Stop what writes to it, and restore what this run has kept with "
                          : ", or with ") +
        with({"restore", run, "--stage", stage, "--only", database.name});
  }
  return commands.empty()
             ? "This run has kept no backup of it; " + with({"list"}) + " lists what there is"
             : commands;
}

// As it would be run; a secret variable stays a name, which has to be in the environment.
std::string downgrade_line(const Call& call, const std::string& before) {
  if (before.find_first_of(" ,") != std::string::npos) return "";  // no one revision
  const std::vector<std::string> command = downgrade_command(call, before);
  if (command.empty()) return "";
  const std::string name = container_name(call, "downgrade");
  const Process process = script_process(call, name, command);
  std::string line = "(cd " + shell_quoted(call.deployment_dir()) + " && ";
  return line + line_of(process.arguments) + ")";
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "abcdefghijklmnopqrstuvwxyz"
                                          "0123456789@%+=:,./_-") == std::string::npos;
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string way_back_by_hand(const Call& call, const MigratedDatabase& database,
                             const std::string& before, const std::string& now) {
  const std::string downgrade = downgrade_line(call, before);
  return "database " + database.name + " of " + database.where.text() + " was at " + before +
         " before stage " + call.stage_id() + " of run " + std::to_string(call.run_id()) +
         " migrated it, and is at " + now + ": no stage put it back. " +
         restore_commands(call, database) +
         (downgrade.empty() ? ""
                            : "; or, where the scripts' downgrades lose nothing, with the new "
                              "release's files in place: `" +
                                  downgrade + "`");
}

}  // namespace drydock::alembic
