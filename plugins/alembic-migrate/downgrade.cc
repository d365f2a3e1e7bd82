#include "downgrade.h"

#include "mariadb_sessions.h"
#include "migrated_database.h"
#include "migrator.h"

namespace drydock::alembic {

std::vector<std::string> downgrade_command(const Call& call, const std::string& revision) {
  if (call.has("/downgrade_command")) {
    std::vector<std::string> command = call.texts("/downgrade_command");
    command.push_back(revision);
    return command;
  }
  return in_place_of_upgrade(call, {"downgrade", revision});
}

void downgrade(const Call& call) {
  const auto before = call.recall("before");
  const auto database = find_database(call);
  if (!before || !database) return;
  const std::string now = describe(current_revisions(call, *database));
  if (now == *before) return;
  if (before->find_first_of(" ,") != std::string::npos) {
    call.warn("database " + database->name + " was at " + *before +
              " before the migration, which is no one revision to go back to: no downgrade");
    return;
  }
  const std::string name = container_name(call, "downgrade");
  if (call.has("/service")) {
    note_container(call, name);
  } else {
    note_session(call, name);
  }
  note_mariadb_sessions(call, *database);
  call.info("database " + database->name + ": downgrade from " + now + " to " + *before);
  Process process = script_process(call, name, downgrade_command(call, *before));
  LastLines last;
  process.on_line = [&](Stream, std::string_view line) {
    last.add(line);
    call.info(line);
  };
  const Exit exit = call.run(process);
  const std::string after = describe(current_revisions(call, *database));
  if (after == *before) return forget_mariadb_sessions(call);
  call.warn("the downgrade of database " + database->name + " to " + *before + " ended with " +
            exit.describe() + " at " + after + (last.text().empty() ? "" : ": " + last.text()));
}

}  // namespace drydock::alembic
