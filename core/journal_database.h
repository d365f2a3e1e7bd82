// The connection of a Journal, for the two files that carry it out: journal.cc reads and writes,
// journal_upkeep.cc opens, upgrades and prunes. Beside them only rollout_sqlite.cc includes SOCI.
#pragma once

#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <stdexcept>

#include "journal.h"

namespace drydock {

struct Journal::Database {
  // Throws soci_error.
  explicit Database(const std::string& path)
      : sql(soci::sqlite3, "db=\"" + path + "\" timeout=10") {}
  void choose(Sync wanted) {
    if (wanted == sync_) return;
    sql << (wanted == Sync::at_once ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    sync_ = wanted;
  }
  mutable soci::session sql;

 private:
  Sync sync_ = Sync::at_once;  // as the journal is opened
};

// A message of SOCI names statements and may carry values: only SQLite's own part is shown.
template <class Work>
auto Journal::guarded(const char* what, Work work, Sync sync) const {
  try {
    database_->choose(sync);
    return work(database_->sql);
  } catch (const soci::sqlite3_soci_error& e) {
    throw_failure(path_, what, e.result() & 0xff, e.get_error_message());
  } catch (const soci::soci_error&) {
    throw_damaged(path_, "a value is missing");
  } catch (const nlohmann::json::parse_error&) {
    throw_damaged(path_, "a text in it is no JSON");
  } catch (const std::out_of_range& e) {
    throw_damaged(path_, e.what());
  } catch (const nlohmann::json::exception& e) {
    throw Error("the journal " + path_ + " failed to " + what + " (" + e.what() +
                "); the names of folders and files, variables and options must be UTF-8");
  }
}

}  // namespace drydock
