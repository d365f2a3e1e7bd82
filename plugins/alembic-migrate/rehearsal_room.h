// What a rehearsal takes of the disk where the database is.
#pragma once

#include <cstdint>
#include <string>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// What the server writes beside the copy: the write-ahead log of PostgreSQL, the binary log of
// MariaDB and MySQL, for a restore and for tables that the migration writes anew.
struct ServerLog {
  std::string name;         // "write-ahead log"
  bool written = false;     // such statements are logged at all
  std::int64_t limit = -1;  // bytes, after which it is used again; -1: something keeps it
  int replicas = 0;         // servers that carry it out as well
};

struct Room {
  std::int64_t database = 0, copy = 0, log = 0;  // bytes; the copy as a migration may write it anew
  std::int64_t all() const { return copy + log; }
};

// Decided from values alone.
Room room_for_copy(std::int64_t database_bytes, const ServerLog&);
// "the server writes up to 2.0 GiB of write-ahead log for it, which its 2 replicas carry out as
// well"; "": it writes none.
std::string words_of_log(const Room&, const ServerLog&);

ServerLog server_log(const Call&, const MigratedDatabase&);
// Throws Failed when less may be free. A disk that cannot be asked is left to the server.
void refuse_without_room(const Call&, const MigratedDatabase&, const Room&);

}  // namespace drydock::alembic
