// The migrator at work: again where only a lock was not free, and watched.
#pragma once

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "migration_heads.h"
#include "migrator.h"

namespace drydock::alembic {

// Runs the migrator, up to `lock_retries` times more while all that it fails of is a lock that it
// waits for. Meanwhile the heads are remembered. Throws Failed when it fails; whether it did
// anything is not asked here. current: before it. instead: see migrator_process. Returns the last
// lines that it printed.
std::string run_migrator(const Call&, const MigratedDatabase&, const Scripts&,
                         const Revisions& current, const Variables& instead = {});

// For an application that migrates by itself when it starts: waits until the database is at the
// heads, for at most the option `limit`. Throws Failed then.
void wait_for_heads(const Call&, const MigratedDatabase&, const Scripts&, const Revisions& current);

// Refused, or only named, as the option `long_transactions` says.
void refuse_long_transactions(const Call&, const MigratedDatabase&);

}  // namespace drydock::alembic
