#include "rehearsal_room.h"

#include <algorithm>

#include "table_sizes.h"
#include "table_space.h"

namespace drydock::alembic {

Room room_for_copy(std::int64_t database_bytes, const ServerLog& log) {
  Room room{database_bytes, 2 * database_bytes, 0};
  if (log.written) room.log = 2 * database_bytes;
  if (log.limit >= 0) room.log = std::min(room.log, log.limit);
  return room;
}

std::string words_of_log(const Room& room, const ServerLog& log) {
  if (room.log == 0) return "";
  return "the server writes up to " + bytes_text(room.log) + " of " + log.name + " for it" +
         (log.replicas == 0 ? ""
          : log.replicas == 1
              ? ", and its replica gets the copy as well"
              : ", and its " + std::to_string(log.replicas) + " replicas get the copy as well");
}

ServerLog server_log(const Call& call, const MigratedDatabase& database) {
  ServerLog log;
  if (!database.sqlite.empty()) return log;
  if (database.mariadb) {
    const MariadbRow row =
        query(call, *database.mariadb, "",
              "SELECT @@GLOBAL.log_bin, (SELECT count(*) FROM information_schema.processlist"
              " WHERE command LIKE 'Binlog Dump%')")
            .at(0);
    log.name = "binary log";
    log.written = row.at(0) == "1";
    log.replicas = std::stoi(row.at(1));
    return log;
  }
  const std::vector<std::string> row = fields(
      query(call, database.server, database.name,
            "SELECT current_setting('wal_level') <> 'minimal',"
            " pg_size_bytes(current_setting('max_wal_size')), current_setting('archive_mode') <>"
            " 'off' OR EXISTS (SELECT 1 FROM pg_replication_slots),"
            " (SELECT count(*) FROM pg_stat_replication);")
          .at(0));
  log.name = "write-ahead log";
  log.written = row.at(0) == "t";
  if (row.at(2) == "f") log.limit = std::stoll(row.at(1));
  log.replicas = std::stoi(row.at(3));
  return log;
}

void refuse_without_room(const Call& call, const MigratedDatabase& database, const Room& room) {
  const std::int64_t available = free_bytes(call, database);
  if (available < 0 || available >= room.all()) return;
  throw Failed("a copy of database " + database.name +
               ", which a migration may then write anew, may need " + bytes_text(room.copy) +
               (room.log == 0 ? "" : " and " + bytes_text(room.log) + " of the server's log") +
               ", and the disk where the database is has " + bytes_text(available) +
               " free; make room there, or rehearse where there is some");
}

}  // namespace drydock::alembic
