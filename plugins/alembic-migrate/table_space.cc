#include "table_space.h"

#include <sys/statvfs.h>

#include <sstream>

#include "mariadb_server.h"

namespace drydock::alembic {
namespace {

struct Room {
  std::string folder;
  std::int64_t free = -1;
};

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

namespace {

Room room_of_file(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  Room room{slash == std::string::npos ? "." : file.substr(0, slash + 1), -1};
  struct statvfs disk {};
  if (::statvfs(room.folder.c_str(), &disk) == 0) {
    room.free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  }
  return room;
}

Room room_of_server(const Call& call, const MigratedDatabase& database) {
  Room room;
  if (database.outside()) return room;
  try {
    room.folder = data_folder(call, database);
  } catch (const Failed& e) {  // not everybody may ask for it
    call.debug(e.what());
    return room;
  }
  const Captured df = call.capture(in_container(database, {"df", "-Pk", room.folder}));
  if (df.exit.ok()) room.free = free_bytes_of_df(df.out);
  return room;
}

}  // namespace

std::int64_t free_bytes(const Call& call, const MigratedDatabase& database) {
  return database.sqlite.empty() ? room_of_server(call, database).free
                                 : room_of_file(database.sqlite).free;
}

void check_space(const Call& call, const MigratedDatabase& database,
                 const RewrittenTables& rewritten) {
  const std::string option = call.text("/space");
  if (rewritten.bytes == 0 || option.empty() || option == "ignore") return;
  if (!database.sqlite.empty()) return;
  const Room room = room_of_server(call, database);
  if (room.free < 0 || room.free >= rewritten.bytes) return;
  const std::string text = "the migration of database " + database.name +
                           " may write tables anew that take " + bytes_text(rewritten.bytes) +
                           " (" + rewritten.names + "), and only " + bytes_text(room.free) +
                           " are free in " + room.folder + " of " + database.place();
  if (option == "warn") return call.warn(text);
  throw Failed(text + "; make room there, or set `space: warn`");
}

}  // namespace drydock::alembic
