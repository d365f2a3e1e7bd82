// One migrator at a time: Alembic itself keeps none, and of two at once the second one fails in the
// middle, or both change the same tables.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "drydock/stage.hpp"
#include "idle_session.h"
#include "migrated_database.h"

namespace drydock::alembic {

// A lock of the database, held by a session of ours that is idle otherwise. (A statement that
// sleeps would hold a snapshot, for which CREATE INDEX CONCURRENTLY waits; a transaction would as
// well.) It keeps other drydocks away: applications that migrate by themselves know nothing of it.
class MigrationLock {
 public:
  // Throws Failed, naming who holds it, when it is taken. An SQLite file has its own locks.
  MigrationLock(const Call&, const MigratedDatabase&);

  // Lets it go. Warns when the session that held it had ended before.
  void release();

 private:
  void take_on_postgres(const std::string& session);
  void take_on_mariadb(const std::string& session);
  void take_directly(const std::string& session);
  [[noreturn]] void refuse_postgres_holder() const;
  [[noreturn]] void refuse_mariadb_holder(const std::string& connection) const;
  void refuse_other_migrators() const;
  [[noreturn]] void refuse(const std::string& holder) const;
  [[noreturn]] void cannot_lock();
  std::string end();
  std::string why(const Captured& ended) const;  // the session ended

  const Call& call_;
  const MigratedDatabase& database_;
  std::optional<IdleSession> session_;
  std::unique_ptr<DirectSession> direct_;  // instead, outside the deployment
};

}  // namespace drydock::alembic
