// Keeps everybody away from a database's table alembic_version: a session of ours holds it locked
// and is idle otherwise. Whatever migrates with Alembic reads that table before its first
// statement.
#pragma once

#include <optional>
#include <string>

#include "drydock/stage.hpp"
#include "idle_session.h"
#include "migrated_database.h"

namespace drydock::alembic {

// Locks nothing, and says so, where the database has no such table.
class VersionTableLock {
 public:
  // Nobody else reads or writes the table from now on. session: under which it connects, noted by
  // then. Throws Failed when the table is not free within some seconds; nobody waits behind the
  // request for more than one.
  VersionTableLock(const Call&, const MigratedDatabase&, const std::string& session);

  bool locks() const { return session_.has_value(); }
  // It may be read again, and still not be written.
  void let_read();
  void release() { session_.reset(); }
  const std::string& session() const { return name_; }

 private:
  bool try_to_lock(const std::string& statements);
  bool is_locked() const;
  Process client() const;

  const Call& call_;
  const MigratedDatabase& database_;
  const std::string name_;
  Rows tables_;  // PostgreSQL: in every schema that has one, as SQL names them
  std::optional<IdleSession> session_;
  std::string why_;  // it could not be locked
};

}  // namespace drydock::alembic
