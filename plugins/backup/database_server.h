// What the stage asks of a database server, whichever product it is. One that the stage has found:
// in a container of the deployment, or at a URL.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "database_record.h"
#include "database_types.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

class DatabaseServer {
 public:
  virtual ~DatabaseServer() = default;

  virtual std::string kind() const = 0;         // "postgresql", "mariadb" or "mysql"
  virtual std::string product() const = 0;      // "PostgreSQL"
  virtual std::string description() const = 0;  // "service db (container 3f0c…)"
  virtual std::string user() const = 0;

  // All databases but the server's own, once it accepts connections. Throws Failed when it does
  // not in time.
  virtual DatabaseSizes wait_for(const Call&, std::chrono::milliseconds patience) const = 0;
  // Those of applications, without what a restore of ours left.
  virtual std::vector<std::string> applications(const DatabaseSizes&) const = 0;
  virtual DatabaseFacts facts(const Call&, const std::string& database,
                              std::int64_t bytes) const = 0;

  // Dumps record.name into record.dump below the private folder, and fills in what the record says
  // of the database and of the dump. Nothing half is left: the file gets its name only after it was
  // read back to its end.
  virtual void dump(const Call&, DatabaseRecord& record) const = 0;
  // The accounts are of the whole server, so no dump of a database has them. Best effort; false
  // when they could not be read.
  virtual bool dump_accounts(const Call&, const std::string& file) const = 0;
  virtual std::string dump_suffix() const = 0;  // ".dump"

  // Reads the dump, record.dump below `folder`, to its end, as a restore would. Throws Failed when
  // it does not hold what was noted.
  virtual void read_back(const Call&, const std::string& folder, const DatabaseRecord&) const = 0;
  // Restores it into a database of its own, compares that, and drops it again.
  virtual void try_restore(const Call&, const std::string& folder, const DatabaseRecord&) const = 0;

  // Whether the database still is what it was when it was dumped, into `folder`; when in doubt,
  // not.
  virtual bool is_unchanged(const Call&, const std::string& folder,
                            const DatabaseRecord&) const = 0;
  // Whether a restore by an attempt before this one came to its end.
  virtual bool was_restored(const Call&, const DatabaseRecord&) const = 0;
  // Makes the database what was dumped, proven by comparing. What stood there is kept; the sentence
  // says where ("": there was nothing). Safe to repeat after a death at any instant.
  virtual std::string restore(const Call&, const std::string& folder,
                              const DatabaseRecord&) const = 0;
  virtual void drop(const Call&, const std::string& database) const = 0;
  // What belongs to the database's name, and is in no dump of it.
  virtual void put_properties_back(const Call&, const DatabaseRecord&) const = 0;
};

// Of the database that try_restore makes: its name begins like the restored one's.
constexpr auto scratch_suffix = "_restore_0";

// The first difference between what was noted and what is there, as "rows of users 3, noted was 5";
// "" for none.
std::string difference(const DatabaseRecord&, const DatabaseFacts&, const DumpContent&);

// Throws Failed when the file is not, byte for byte, the one that was noted.
void check_dump(const std::string& folder, const DatabaseRecord& record);

}  // namespace drydock::backup
