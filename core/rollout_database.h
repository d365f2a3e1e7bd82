// Where rollouts are kept: a file of SQLite beside the rollout file, or a PostgreSQL server that
// several machines share. Both take the same SQL; values and rows are texts.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace drydock {

// In the database's own words. gone: there is no connection any more; another one may do.
class DatabaseFailure : public std::runtime_error {
 public:
  DatabaseFailure(const std::string& why, bool gone) : std::runtime_error(why), gone_(gone) {}
  bool gone() const { return gone_; }

 private:
  bool gone_;
};

class RolloutDatabase {
 public:
  using Row = std::vector<std::string>;
  using Values = std::vector<std::string>;

  virtual ~RolloutDatabase() = default;
  // `sql` has a '?' for each of `values`, and its rows have `columns`. Throws DatabaseFailure.
  std::vector<Row> run(const std::string& sql, const Values& values = {}, std::size_t columns = 0);

  // A transaction. Of two at once the second waits until the first has ended. Throws
  // DatabaseFailure.
  virtual void begin() = 0;
  void commit() { run("COMMIT"); }
  void roll_back() noexcept;
  // After DatabaseFailure with gone(). Throws DatabaseFailure.
  virtual void reconnect() = 0;

  virtual bool has_table(const std::string& name) = 0;
  // Milliseconds since the epoch, by the one clock that all who share it go by.
  virtual std::int64_t now() = 0;
  // Appended to a query that a write depends on: nobody changes what it read until that is done.
  virtual std::string and_keep() const = 0;
  // Do other machines use it, so that no lock of this one says who does what?
  virtual bool is_shared() const = 0;
  const std::string& name() const { return name_; }  // for people; without a password

 protected:
  explicit RolloutDatabase(std::string name) : name_(std::move(name)) {}
  virtual std::vector<Row> perform(const std::string& sql, const Values& values,
                                   std::size_t columns) = 0;

 private:
  std::string name_;
};

// Makes the file (0600) where there is none. Throws Error.
std::unique_ptr<RolloutDatabase> open_sqlite_database(const std::string& path);

// url: postgresql://... Throws Error: no such URL, the library that connects is missing, or the
// server cannot be reached or refuses.
std::unique_ptr<RolloutDatabase> open_postgres_database(const std::string& url);

}  // namespace drydock
