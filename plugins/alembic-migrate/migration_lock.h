// One migrator at a time: Alembic itself keeps none, and of two at once the second one fails in the
// middle, or both change the same tables.
#pragma once

#include <future>
#include <string>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// A lock of the database, held by a session of ours that is idle otherwise: it ends with the worker
// that made it. (A statement that sleeps would hold a snapshot, for which CREATE INDEX CONCURRENTLY
// waits; a transaction would as well.) It keeps other drydocks away: applications that migrate by
// themselves know nothing of it.
class MigrationLock {
 public:
  // Throws Failed, naming who holds it, when it is taken. An SQLite file has its own locks.
  MigrationLock(const Call&, const MigratedDatabase&);
  ~MigrationLock();
  MigrationLock(const MigrationLock&) = delete;
  MigrationLock& operator=(const MigrationLock&) = delete;

  // Lets it go. Warns when the session that held it had ended before.
  void release();

 private:
  bool session_ended() const;
  void wait_until_tried();
  [[noreturn]] void refuse() const;
  void refuse_other_migrators() const;
  void close_input() noexcept;

  const Call& call_;
  const MigratedDatabase& database_;
  std::string session_;  // its application_name
  int input_ = -1;       // the session's standard input; its end is the session's end
  std::shared_future<Captured> running_;
};

}  // namespace drydock::alembic
