// While a rehearsal's migrator works: proof that it goes to the copy, and no way to the database
// itself. Whatever its variables say, an entrypoint may have its own mind about where the database
// is.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "drydock/stage.hpp"
#include "migrated_database.h"
#include "version_table_lock.h"

namespace drydock::alembic {

// Somebody who waits for one of the two tables.
struct Waiter {
  std::string id;   // of the session, as the server ends it by
  std::string who;  // for people
  bool at_copy = false;
  bool named = false;    // as the migrator of this stage
  bool younger = false;  // it has connected after the lock was taken
};

// Holds alembic_version locked in both: from the migrator's start until it has come to that of the
// copy nobody reads the database's own, and after that nobody writes it. Who waits there is the
// migrator, or is let through before long by an end of the rehearsal. Nothing for an SQLite file,
// and where there is no such table.
class RehearsalGuard {
 public:
  // migrator: the name of its container or sessions. Throws Failed when a lock is not free.
  RehearsalGuard(const Call&, const MigratedDatabase& database, const MigratedDatabase& copy,
                 std::string migrator);
  ~RehearsalGuard();
  RehearsalGuard(const RehearsalGuard&) = delete;
  RehearsalGuard& operator=(const RehearsalGuard&) = delete;

  // The migrator has come to the table of the copy, before its first statement there; or nothing
  // is guarded. Until then whoever reads that table waits, and is taken for the migrator.
  bool reached() const { return reached_; }
  // The migrator has ended. Lets both tables go; returns for what the rehearsal was ended, as a
  // sentence; "": for nothing.
  std::string end();

 private:
  void watch() noexcept;
  void look();
  void stop_migrator(const std::vector<Waiter>& waiting, const std::string& why);

  const Call& call_;
  const MigratedDatabase &database_, &copy_;
  const std::string migrator_;
  VersionTableLock of_database_, of_copy_;
  std::map<std::string, std::chrono::steady_clock::time_point> since_;  // session -> it waits
  std::atomic<bool> reached_{false};
  std::mutex mutex_;
  std::condition_variable end_;
  bool ended_ = false;
  std::string stopped_;
  std::thread thread_;
};

}  // namespace drydock::alembic
