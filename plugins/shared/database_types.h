// What is known of a database in values that can be compared before and after, whatever the server.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock {

// Name -> bytes on disk.
using DatabaseSizes = std::map<std::string, std::int64_t>;

// What alembic_version says: a row for each head that the database is at. nullopt: no such table.
using Revisions = std::optional<std::vector<std::string>>;

struct DatabaseFacts {
  // SHA-256 of the structure: columns, indexes, constraints, views, functions, triggers, enums.
  // Equal for a database and its restored dump.
  std::string schema;
  Revisions revisions;
  // "apps=2, users=17", exact; of a large database the server's own estimates, marked by "~".
  std::string rows;
  // PostgreSQL: indexes that a build which failed or still goes on has left, a line each. No dump
  // has them.
  std::string invalid_indexes;
};
// Counting reads every page, which is too much for a question that each plan asks: below this many
// bytes rows are counted, above it the server's estimate is told.
constexpr std::int64_t count_rows_below = 256LL << 20;

struct DumpContent {
  // SHA-256 of all statements but data, in their order, without comments. The same for two dumps of
  // one unchanged database.
  std::string statements;
  // Table -> its rows ("schema.table" in PostgreSQL); exact, and of the very snapshot that was
  // dumped.
  std::map<std::string, std::uint64_t> rows;
  // SHA-256 over all rows of all tables, the positions of sequences, and large objects, whatever
  // the order of the rows. Equal for a database and its restored dump.
  std::string data;
  // MariaDB and MySQL: table -> the number that its AUTO_INCREMENT gives out next. Equal for a
  // database and its restored dump; but a server forgets when it is restarted what an INSERT has
  // reserved and not used.
  std::map<std::string, std::uint64_t> counters;

  std::uint64_t total_rows() const {
    std::uint64_t total = 0;
    for (const auto& table : rows) total += table.second;
    return total;
  }
};

}  // namespace drydock
