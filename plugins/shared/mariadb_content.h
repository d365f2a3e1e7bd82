// What a dump of MariaDB or MySQL holds, read from its bytes as they stream by: proof that it is
// whole, and that a database is still as it was when it was dumped, or is again.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "content_hash.h"
#include "database_types.h"
#include "digest.h"

namespace drydock {

// Fed with what mariadb-dump or mysqldump prints, in pieces of any size. Knows of SQL only what
// those print: a statement begins on a line of its own, rows stand in INSERT INTO `table` VALUES.
class MariadbDumpReader {
 public:
  // count: rows are counted and not hashed, which is most of the work; `data` is "" then.
  enum class Rows { hash, count };
  explicit MariadbDumpReader(Rows rows = Rows::hash) : hashes_(rows == Rows::hash) {}
  void feed(std::string_view bytes);
  DumpContent finish();
  // Whether the last line was the client's "-- Dump completed". It prints that only when all went
  // well, and a dump that was cut off lacks it.
  bool completed() const { return completed_; }

 private:
  enum class Place { line, insert_head, between_rows, row, text };
  std::size_t feed_line(std::string_view bytes);
  std::size_t feed_rows(std::string_view bytes);
  std::size_t skip_text(std::string_view bytes, std::size_t from);
  void end_line();
  void add_row();

  const bool hashes_;
  Place place_ = Place::line;
  std::string line_;         // of the statement, so far; not of rows
  bool in_routine_ = false;  // after DELIMITER: bodies of routines may hold INSERTs
  bool completed_ = false;
  bool in_name_ = false;  // insert_head: inside backticks
  bool escaped_ = false;  // text: after a backslash
  int depth_ = 0;         // row: open parentheses

  std::string table_;
  Sha256 statements_, row_;
  std::map<std::string, RowSum> sums_;
  RowSum* sum_ = nullptr;  // of table_
  std::uint64_t* count_ = nullptr;
  std::map<std::string, std::uint64_t> rows_, counters_;
};

}  // namespace drydock
