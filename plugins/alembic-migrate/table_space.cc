#include "table_space.h"

#include <sstream>

#include "mariadb_server.h"

namespace drydock::alembic {
namespace {

std::string data_folder(const Call& call, const MigratedDatabase& database) {
  if (database.mariadb) {
    return query(call, *database.mariadb, "", "SELECT @@datadir").at(0).at(0);
  }
  const Rows rows = query(call, database.server, database.name, "SHOW data_directory;");
  return rows.empty() ? "" : rows.front();
}

Process in_container(const MigratedDatabase& database, std::vector<std::string> words) {
  if (!database.mariadb) {
    const std::string tool = words.front();
    words.erase(words.begin());
    return server_command(database.server, tool, std::move(words));
  }
  Process process;
  process.arguments = database.mariadb->reach;
  process.arguments.insert(process.arguments.end(), words.begin(), words.end());
  process.environment = database.mariadb->environment;
  return process;
}

}  // namespace

std::int64_t free_bytes_of_df(const std::string& printed) {
  std::istringstream lines(printed);
  std::string heading, device, size, used;
  std::int64_t kilobytes = -1;
  if (std::getline(lines, heading) && lines >> device >> size >> used >> kilobytes) {
    return kilobytes * 1024;
  }
  return -1;
}

void check_space(const Call& call, const MigratedDatabase& database,
                 const RewrittenTables& rewritten) {
  const std::string option = call.text("/space");
  if (rewritten.bytes == 0 || option.empty() || option == "ignore") return;
  if (!database.sqlite.empty() || database.direct) return;
  std::string folder;
  try {
    folder = data_folder(call, database);
  } catch (const Failed& e) {  // not everybody may ask for it
    return call.debug(e.what());
  }
  const Captured df = call.capture(in_container(database, {"df", "-Pk", folder}));
  const std::int64_t left = df.exit.ok() ? free_bytes_of_df(df.out) : -1;
  if (left < 0 || left >= rewritten.bytes) return;
  const std::string text = "the migration of database " + database.name +
                           " may write tables anew that take " + bytes_text(rewritten.bytes) +
                           " (" + rewritten.names + "), and only " + bytes_text(left) +
                           " are free in " + folder + " of " + database.place();
  if (option == "warn") return call.warn(text);
  throw Failed(text + "; make room there, or set `space: warn`");
}

}  // namespace drydock::alembic
