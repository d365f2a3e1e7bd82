#include "check_command.h"

#include "migrator.h"

namespace drydock::alembic {

void run_check(const Call& call, const MigratedDatabase& database) {
  if (!call.has("/check")) return;
  const std::vector<std::string> command = call.texts("/check");
  const std::string name = container_name(call, "check");
  if (call.has("/service")) {
    note_container(call, name);
  } else {
    note_session(call, name);
  }
  Process process = script_process(call, name, command);
  LastLines last;
  process.on_line = [&](Stream, std::string_view line) {
    last.add(line);
    call.info(line);
  };
  const Exit exit = call.run(process);
  if (exit.ok()) return;
  throw Failed("database " + database.name + " is at the head, and the application's check `" +
               joined(command) + "` ended with " + exit.describe() +
               (last.text().empty() ? "" : " (" + last.text() + ")"));
}

}  // namespace drydock::alembic
