// The migrator at work: again where only a lock was not free, and watched.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migration_heads.h"
#include "migrator.h"

namespace drydock::alembic {

// How one migrator ended.
struct MigratorEnd {
  Exit exit;
  std::string last_words;     // the last lines that it printed
  bool lock_timeout = false;  // it told of one, after which it can be started again
  bool lock_wait = false;     // it told of one after which it cannot
};

// Under this name, noted first, of its container or of its sessions.
MigratorEnd start_migrator(const Call&, const std::string& name, const Variables& instead = {});

// The sentence of a migrator that failed, and where it left the database. before: its revisions.
Failed migration_failure(const Call&, const MigratedDatabase&, const MigratorEnd&, int tries,
                         const Revisions& before);

// Runs the migrator, up to `lock_retries` times more while all that it fails of is a lock that it
// waits for. Meanwhile the heads are remembered. Throws Failed when it fails; whether it did
// anything is not asked here. current: before it.
void run_migrator(const Call&, const MigratedDatabase&, const Scripts&, const Revisions& current);

// For an application that migrates by itself when it starts: waits until the database is at the
// heads, for at most the option `limit`. Throws Failed then.
void wait_for_heads(const Call&, const MigratedDatabase&, const Scripts&, const Revisions& current);

// Refused, or only named, as the option `long_transactions` says.
void refuse_long_transactions(const Call&, const MigratedDatabase&);

}  // namespace drydock::alembic
